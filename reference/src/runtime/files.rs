//! The files that name a container and its network: they are the engine's, not the image's, and are mounted over the image's own.

use std::{fs, io, path::Path};

use super::{ContainerSetup, Network, resolver};
use crate::{settings::KnownHost, sys::tree::Tree};

/// Where a container sees each, and its name in the directory that holds them.
pub const FILES: [(&str, &str); 3] = [
    ("/etc/hosts", HOSTS),
    ("/etc/hostname", HOSTNAME),
    ("/etc/resolv.conf", RESOLVER),
];

const HOSTS: &str = "hosts";
const HOSTNAME: &str = "hostname";
const RESOLVER: &str = "resolv.conf";

/// Where the kernel's file systems are mounted; the runtime makes links and nodes in /dev by its path.
const KERNEL: [&str; 3] = ["dev", "proc", "sys"];

const LOCALHOST: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";

impl ContainerSetup {
    /// Writes them anew: host name and the host's own files may have changed since the last run.
    ///
    /// # Errors
    /// If they cannot be written, or have no place in the root file system.
    pub fn write_files(&self) -> io::Result<()> {
        self.make_room()?;
        fs::write(self.files.join(HOSTNAME), format!("{}\n", self.hostname))?;
        match &self.network {
            Network::None => self.write_names(LOCALHOST),
            Network::Host => self.write_names(&host_file("/etc/hosts")),
            Network::Container { files } => self.share_names(files),
        }
    }

    /// The files that say where other hosts are.
    fn write_names(&self, known: &str) -> io::Result<()> {
        let asked_for = &self.settings.network;
        let hosts = hosts(&asked_for.hosts, known, &self.hostname);
        fs::write(self.files.join(HOSTS), hosts)?;
        let resolver = resolver::configuration(&host_file("/etc/resolv.conf"), asked_for);
        fs::write(self.files.join(RESOLVER), resolver)
    }

    /// The same files as in `theirs`, also once they are gone from there.
    fn share_names(&self, theirs: &Path) -> io::Result<()> {
        for name in [HOSTS, RESOLVER] {
            let own = self.files.join(name);
            // Of an earlier run.
            match fs::remove_file(&own) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::hard_link(theirs.join(name), own)?,
            }
        }
        Ok(())
    }

    /// The runtime mounts them over files. A link is replaced rather than followed: what it points to, which often is there only
    /// in a booted system, may lie below another mount or be another of these files. So is a link in the place of the kernel's.
    fn make_room(&self) -> io::Result<()> {
        let rootfs = Tree::open(&self.rootfs)?;
        for name in KERNEL {
            rootfs.replace_link(Path::new(name))?;
        }
        for (path, _) in FILES {
            let placed = rootfs.place_file(Path::new(path));
            placed.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        }
        Ok(())
    }
}

/// A file of the host's; one that is absent, or no text, has nothing to say to containers.
fn host_file(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The names that were asked for, the known ones, and the container's own where it is not among those. A resolver takes the first
/// line that has a name.
fn hosts(asked_for: &[KnownHost], known: &str, hostname: &str) -> String {
    let line = |host: &KnownHost| format!("{}\t{}\n", host.address, host.name);
    let first: String = asked_for.iter().map(line).collect();
    let names = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    let is_known = known.lines().any(|line| {
        names(line)
            .split_whitespace()
            .skip(1)
            .any(|name| name == hostname)
    });
    if is_known {
        return first + known;
    }
    let end = if known.is_empty() || known.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{first}{known}{end}127.0.1.1\t{hostname}\n")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::added("127.0.0.1 localhost\n", "127.0.0.1 localhost\n127.0.1.1\tbox\n")]
    #[case::without_a_line_end("127.0.0.1 localhost", "127.0.0.1 localhost\n127.0.1.1\tbox\n")]
    #[case::already_there("10.0.0.1 other box\n", "10.0.0.1 other box\n")]
    #[case::only_in_a_comment("10.0.0.1 other # box\n", "10.0.0.1 other # box\n127.0.1.1\tbox\n")]
    #[case::nothing("", "127.0.1.1\tbox\n")]
    fn a_container_finds_its_own_name(#[case] known: &str, #[case] expected: &str) {
        assert_eq!(hosts(&[], known, "box"), expected);
    }

    #[test]
    fn what_was_asked_for_comes_first_and_takes_no_name_away() {
        let host = |name: &str| KnownHost {
            name: name.to_owned(),
            address: "192.0.2.1".parse().unwrap(),
        };
        assert_eq!(
            hosts(&[host("db"), host("box")], "127.0.0.1 localhost\n", "box"),
            "192.0.2.1\tdb\n192.0.2.1\tbox\n127.0.0.1 localhost\n127.0.1.1\tbox\n"
        );
    }
}
