//! The probe image and its variants as tars; the image is imported for the run and removed at its end.

use std::{
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::stage::Stage;
use crate::{
    endpoint::{CallError, Deadline, call},
    probe,
};

const TAR: &str = "probe.tar";

/// Variants of the image: the names of their tars, and what they have where an engine puts files of its own.
const VARIANTS: [(&str, [(&str, Odd); 3]); 2] = [
    (
        "links.tar",
        [
            ("etc/hosts", Odd::Link("/etc/group")),
            ("etc/hostname", Odd::Link("../../../no-such/hostname")),
            (
                "etc/resolv.conf",
                Odd::Link("../run/systemd/resolve/stub-resolv.conf"),
            ),
        ],
    ),
    (
        "folders.tar",
        [
            ("etc/hosts/", Odd::Folder),
            ("etc/hostname/", Odd::Folder),
            ("etc/resolv.conf/", Odd::Folder),
        ],
    ),
];

/// What an image has in the place of an ordinary file.
#[derive(Debug, Clone, Copy)]
enum Odd {
    /// A symbolic link that leads there.
    Link(&'static str),
    /// A folder with a file in it.
    Folder,
}

const PASSWD: &str = "root:x:0:0:root:/:/probe\nprobe:x:1000:1000:probe:/work:/probe\n";
const GROUP: &str = "root:x:0:\nprobe:x:1000:\nextra:x:2000:probe\n";

/// Folders of the image, with their modes; the kernel's file systems are mounted over some.
const FOLDERS: [(&str, u32); 8] = [
    ("dev/", 0o755),
    ("etc/", 0o755),
    ("proc/", 0o755),
    ("run/", 0o755),
    ("sys/", 0o755),
    ("tmp/", 0o1777),
    ("var/", 0o755),
    ("work/", 0o777),
];

/// Writes the image's root file system as a tar.
///
/// # Errors
/// The output cannot be written.
pub fn write_tar(out: impl Write) -> io::Result<()> {
    write_variant(out, &[])
}

fn write_variant(out: impl Write, odd: &[(&str, Odd)]) -> io::Result<()> {
    let mut tar = Builder::new(out);
    for (path, mode) in FOLDERS {
        append(&mut tar, path, mode, EntryType::Directory, b"")?;
    }
    append(
        &mut tar,
        "etc/passwd",
        0o644,
        EntryType::Regular,
        PASSWD.as_bytes(),
    )?;
    append(
        &mut tar,
        "etc/group",
        0o644,
        EntryType::Regular,
        GROUP.as_bytes(),
    )?;
    append(&mut tar, "probe", 0o755, EntryType::Regular, probe::PROGRAM)?;
    for (path, kind) in odd {
        append_odd(&mut tar, path, *kind)?;
    }
    tar.into_inner()?.flush()
}

fn append_odd(tar: &mut Builder<impl Write>, path: &str, odd: Odd) -> io::Result<()> {
    match odd {
        Odd::Link(target) => {
            let mut header = header(0o777, EntryType::Symlink, b"");
            tar.append_link(&mut header, path, target)
        }
        Odd::Folder => {
            append(tar, path, 0o755, EntryType::Directory, b"")?;
            let file = format!("{path}file");
            append(tar, &file, 0o644, EntryType::Regular, b"the image's\n")
        }
    }
}

fn append(
    tar: &mut Builder<impl Write>,
    path: &str,
    mode: u32,
    kind: EntryType,
    content: &[u8],
) -> io::Result<()> {
    tar.append_data(&mut header(mode, kind, content), path, content)
}

fn header(mode: u32, kind: EntryType, content: &[u8]) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    // A fixed time, so that the same program gives the same image.
    header.set_mtime(1_500_000_000);
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    header
}

/// Writes the tars of the image and its variants into a folder.
pub(super) fn write_tars(folder: &Path) -> io::Result<()> {
    write_tar(create(&folder.join(TAR))?)?;
    for (name, odd) in &VARIANTS {
        write_variant(create(&folder.join(name))?, odd)?;
    }
    Ok(())
}

/// A file that the endpoint can read, whoever it runs as.
fn create(path: &Path) -> io::Result<io::BufWriter<File>> {
    let file = File::create(path)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    Ok(io::BufWriter::new(file))
}

/// Imports the image from the shared directory, which is `shared` for the endpoint; returns its reference.
pub(super) fn bring(stage: &Stage<'_>, shared: &Path) -> Result<String, String> {
    let reference = format!("localhost/varlink-conformance-probe:{}", stage.run_id);
    let parameters = json!({
        "source": shared.join(TAR), "reference": reference, "message": "", "changes": [],
    });
    let deadline = Deadline::after(stage.timeout).watching(Some(stage.interrupt));
    let imported = call(
        &stage.address,
        "io.projectatomic.podman.ImportImage",
        &parameters,
        &deadline,
    );
    imported
        .map(|_| reference)
        .map_err(|error| format!("ImportImage: {error}"))
}

/// Removes the image again; says why if it stays.
pub(super) fn remove(stage: &Stage<'_>, reference: &str) -> Option<String> {
    let parameters = json!({ "name": reference, "force": true });
    let deadline = Deadline::after(stage.timeout);
    match call(
        &stage.address,
        "io.projectatomic.podman.RemoveImage",
        &parameters,
        &deadline,
    ) {
        Ok(_) => None,
        Err(CallError::Failed { name, .. }) if name.ends_with(".ImageNotFound") => None,
        Err(error) => Some(format!(
            "the probe image {reference} stays on the endpoint: RemoveImage: {error}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_holds_the_probe_and_what_a_container_expects() {
        let mut bytes = Vec::new();
        write_tar(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries: Vec<(String, u32)> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let path = entry.path().unwrap().display().to_string();
                (path, entry.header().mode().unwrap())
            })
            .collect();
        assert!(
            entries.contains(&("probe".to_owned(), 0o755)),
            "{entries:?}"
        );
        assert!(
            entries.contains(&("tmp/".to_owned(), 0o1777)),
            "{entries:?}"
        );
        assert!(
            entries.contains(&("etc/passwd".to_owned(), 0o644)),
            "{entries:?}"
        );
    }
}
