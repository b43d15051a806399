//! Records: JSON files that are either the old or the new one after a crash, never a part.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;
use crate::sys::replace::{Durability, replace};

/// Replaces `name` in `directory`: written beside it, synced, renamed over it, directory synced.
pub fn write<T: Serialize>(directory: &Path, name: &str, record: &T) -> Result<(), StoreError> {
    let path = directory.join(name);
    let content = serde_json::to_vec(record).map_err(|source| StoreError::Damaged {
        path: path.clone(),
        source,
    })?;
    write_bytes(directory, name, &content)
}

/// Writes a record into a directory that nobody looks into yet, and syncs both. No replacement: that would be one more wait for the
/// disk.
pub fn write_first<T: Serialize>(
    directory: &Path,
    name: &str,
    record: &T,
) -> Result<(), StoreError> {
    let path = directory.join(name);
    let content = serde_json::to_vec(record).map_err(|source| StoreError::Damaged {
        path: path.clone(),
        source,
    })?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(&content).and_then(|()| file.sync_all()))
        .map_err(StoreError::io("cannot write", path))?;
    sync_directory(directory)
}

/// Like [`write()`], for content that is bytes already.
pub fn write_bytes(directory: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let path = directory.join(name);
    replace(&path, content, Durability::PowerCut).map_err(StoreError::io("cannot write", path))
}

/// Makes renames and new names in `directory` survive a power cut.
pub fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(StoreError::io("cannot sync", directory))
}

/// Reads a record.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let content = std::fs::read(path).map_err(StoreError::io("cannot read", path))?;
    serde_json::from_slice(&content).map_err(|source| StoreError::Damaged {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "record.json", &vec![1, 2]).unwrap();
        write(folder.path(), "record.json", &vec![3]).unwrap();
        let back: Vec<i32> = read(&folder.path().join("record.json")).unwrap();
        assert_eq!(back, [3]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_first_record_reads_back_and_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        write_first(folder.path(), "record.json", &vec![1, 2]).unwrap();
        assert!(write_first(folder.path(), "record.json", &vec![3]).is_err());
        let back: Vec<i32> = read(&folder.path().join("record.json")).unwrap();
        assert_eq!(back, [1, 2]);
    }

    #[test]
    fn a_cut_record_is_damaged_and_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        std::fs::write(&path, "[1, 2").unwrap();
        let error = read::<Vec<i32>>(&path).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}
