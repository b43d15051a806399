//! Replacing a small file in one step, so that a reader sees the old or the new one and never half.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{fs::FallocateFlags, io::Errno};

/// Whether the new file must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Written through to the disk, file and directory, before the call returns.
    PowerCut,
    /// Survives the death of every process, not that of the machine.
    Processes,
}

/// Writes `content` to `path` by way of `path` + ".tmp", for its owner alone.
///
/// # Errors
/// If a step fails; `path` is then what it was.
pub fn replace(path: &Path, content: &[u8], durability: Durability) -> io::Result<()> {
    Replacement::write(path, content, durability)?.put_in_place()
}

/// Takes so many bytes of the disk for the next [`replace`] of `path`, which then works on a full one, too. They are given back with
/// `path` + ".tmp".
///
/// # Errors
/// If there is no space. Where the filesystem cannot reserve any, none is.
pub fn reserve(path: &Path, bytes: u64) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(temporary(path))?;
    match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes) {
        Err(error) if error != Errno::OPNOTSUPP => Err(error.into()),
        _ => Ok(()),
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// New content that lies ready beside a file; gone when dropped.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    /// `None` once it is in place.
    temporary: Option<PathBuf>,
    durability: Durability,
}

impl Replacement {
    /// Writes the content, and leaves `path` as it is.
    ///
    /// # Errors
    /// If the content cannot be written.
    pub fn write(path: &Path, content: &[u8], durability: Durability) -> io::Result<Self> {
        let temporary = temporary(path);
        let mut options = OpenOptions::new();
        // Not truncated first: what was reserved would be given back.
        options.write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&temporary)?;
        let new = Self {
            path: path.to_owned(),
            temporary: Some(temporary),
            durability,
        };
        file.write_all(content)?;
        file.set_len(u64::try_from(content.len()).unwrap_or(u64::MAX))?;
        if durability == Durability::PowerCut {
            file.sync_all()?;
        }
        Ok(new)
    }

    /// Makes it the file.
    ///
    /// # Errors
    /// If the file cannot be replaced.
    pub fn put_in_place(mut self) -> io::Result<()> {
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.path)?;
        }
        self.temporary = None;
        if self.durability == Durability::PowerCut
            && let Some(directory) = self.path.parent()
        {
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Should it stay, the next replacement overwrites it.
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prepared_content_changes_nothing_until_it_is_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        replace(&path, b"old", Durability::PowerCut).unwrap();
        drop(Replacement::write(&path, b"dropped", Durability::PowerCut).unwrap());
        assert_eq!((fs::read(&path).unwrap(), names()), (b"old".to_vec(), 1));
        let new = Replacement::write(&path, b"new", Durability::PowerCut).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        new.put_in_place().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"new".to_vec(), 1));
    }
}
