//! Device nodes: what they stand for, and those in the host's /dev.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use nix::sys::stat::{major, minor};
use serde::{Deserialize, Serialize};

const DEV: &str = "/dev";
/// Not the host's devices: file systems and links that a container has of its own, and the terminal of the service.
const OWN: [&str; 6] = ["console", "fd", "mqueue", "ptmx", "pts", "shm"];
/// Directories below /dev nest less deep than this.
const DEPTH: usize = 8;

/// What a device node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Read and written in blocks, such as a disk.
    Block,
    /// Read and written byte by byte.
    Character,
}

/// A device node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Block or character device.
    pub kind: Kind,
    /// The number of its driver.
    pub major: u32,
    /// Its number at the driver.
    pub minor: u32,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Node {
    /// The node at a path, links followed; `None` if something else is there.
    ///
    /// # Errors
    /// If nothing is there, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Option<Self>> {
        Ok(Self::of(&fs::metadata(path)?))
    }

    fn of(status: &Metadata) -> Option<Self> {
        let kind = match status.file_type() {
            kind if kind.is_block_device() => Kind::Block,
            kind if kind.is_char_device() => Kind::Character,
            _ => return None,
        };
        let number = |number: u64| u32::try_from(number).ok();
        Some(Self {
            kind,
            major: number(major(status.rdev()))?,
            minor: number(minor(status.rdev()))?,
            mode: status.mode() & 0o7777,
            uid: status.uid(),
            gid: status.gid(),
        })
    }
}

/// The host's devices with their paths, in the order of these.
///
/// # Errors
/// If /dev cannot be read.
pub fn of_host() -> io::Result<Vec<(PathBuf, Node)>> {
    let mut found = Vec::new();
    collect(Path::new(DEV), DEPTH, &mut found)?;
    found.retain(|(path, _)| {
        !OWN.iter()
            .any(|own| path.starts_with(Path::new(DEV).join(own)))
    });
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(found)
}

fn collect(directory: &Path, depth: usize, found: &mut Vec<(PathBuf, Node)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // What went meanwhile is not there.
        let Ok(status) = fs::symlink_metadata(&path) else {
            continue;
        };
        if let Some(node) = Node::of(&status) {
            found.push((path, node));
        } else if status.is_dir() && depth > 0 {
            collect(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_told_from_other_files() {
        let null = Node::at(Path::new("/dev/null")).unwrap().unwrap();
        let numbers = (null.kind, null.major, null.minor);
        assert_eq!(numbers, (Kind::Character, 1, 3));
        assert_eq!(Node::at(Path::new("/")).unwrap(), None);
        assert!(Node::at(Path::new("/no-such")).is_err());
    }

    #[test]
    fn terminals_are_not_among_the_hosts_devices() {
        let paths: Vec<_> = of_host()
            .unwrap()
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert!(paths.contains(&PathBuf::from("/dev/null")));
        assert!(!paths.iter().any(|path| path.starts_with("/dev/pts")));
        assert!(!paths.contains(&PathBuf::from("/dev/console")));
    }
}
