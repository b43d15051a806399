//! What kind of filesystem a path is on, and whether its directories tell the types of files.

use std::{io, path::Path};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};

/// The filesystem that `path` is on, by the name that users of Linux know it by; its magic number when it is an unknown one.
pub fn name(path: &Path) -> io::Result<String> {
    let kind = rustix::fs::statfs(path)?.f_type;
    Ok(match kind {
        0xEF53 => "extfs".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683E => "btrfs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x794C_7630 => "overlayfs".into(),
        0x2FC1_2FC1 => "zfs".into(),
        0x6969 => "nfs".into(),
        0xF2F5_2010 => "f2fs".into(),
        0x6573_5546 => "fuse".into(),
        other => format!("{other:#x}"),
    })
}

/// Whether the entries of the directory at `path` tell of what type each file is (`d_type`), which overlays rely on. An empty
/// directory tells nothing: `false`.
pub fn tells_types(path: &Path) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let mut types = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        // Of these two some filesystems know the type that do not of others.
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            types.push(entry.file_type());
        }
    }
    Ok(all_known(&types))
}

fn all_known(types: &[FileType]) -> bool {
    !types.is_empty() && !types.contains(&FileType::Unknown)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing(&[], false)]
    #[case::known(&[FileType::Directory, FileType::RegularFile], true)]
    #[case::unknown(&[FileType::Unknown], false)]
    #[case::partly(&[FileType::Directory, FileType::Unknown], false)]
    fn types_are_told_if_all_are(#[case] types: &[FileType], #[case] told: bool) {
        assert_eq!(all_known(types), told);
    }

    #[test]
    fn a_directory_is_read() {
        let home = tempfile::tempdir().unwrap();
        assert!(!tells_types(home.path()).unwrap());
        fs::create_dir(home.path().join("directory")).unwrap();
        fs::write(home.path().join("file"), "").unwrap();
        assert!(tells_types(home.path()).unwrap());
        assert!(tells_types(&home.path().join("none")).is_err());
    }
}
