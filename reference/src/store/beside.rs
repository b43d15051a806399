//! Files that are made where a caller wants them, outside the store: written beside their place, and moved there once they are whole.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{Layout, Store, StoreError, record};
use crate::sys::kill_point::{self, Point};

/// How the name of an unfinished file begins; a random number follows.
const UNFINISHED: &str = ".export-";
/// How the name of a note in the staging area begins: it holds the path of an unfinished file.
const NOTE: &str = "note-";

/// A file that is not in its place yet; gone when dropped, and, should the daemon die, with the next one's start.
#[derive(Debug)]
pub struct Unfinished {
    /// What to write to.
    pub file: File,
    path: PathBuf,
    target: PathBuf,
    note: PathBuf,
}

impl Store {
    /// Makes a file beside `target`. Only its owner can read it: it holds all that a container does.
    pub fn write_beside(&self, target: &Path) -> Result<Unfinished, StoreError> {
        let number = random().map_err(StoreError::io("cannot name a file beside", target))?;
        let path = target.with_file_name(format!("{UNFINISHED}{number:016x}"));
        let name = format!("{NOTE}{number:016x}");
        let staging = self.layout.staging();
        record::write_bytes(&staging, &name, path.as_os_str().as_bytes())?;
        kill_point::reached(Point::ExportNoted);
        let note = staging.join(name);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&path);
        match opened {
            Ok(file) => Ok(Unfinished {
                file,
                path,
                target: target.to_owned(),
                note,
            }),
            Err(error) => {
                forget(&note);
                Err(StoreError::io("cannot write beside", target)(error))
            }
        }
    }
}

impl Unfinished {
    /// Puts it in its place; a file that is there is replaced.
    pub fn finish(self) -> Result<(), StoreError> {
        fs::rename(&self.path, &self.target)
            .map_err(StoreError::io("cannot replace", &self.target))?;
        kill_point::reached(Point::ExportPlaced);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if remove(&self.path) {
            forget(&self.note);
        }
    }
}

/// Removes the unfinished file that a note in the staging area tells of, if it is one.
pub(super) fn clear_up(layout: &Layout, name: &OsStr) {
    if !name.as_bytes().starts_with(NOTE.as_bytes()) {
        return;
    }
    let path = fs::read(layout.staging().join(name)).unwrap_or_default();
    let path = Path::new(OsStr::from_bytes(&path));
    let name = path.file_name().unwrap_or_default();
    // A note that was cut short names none.
    let whole = name.len() == UNFINISHED.len() + 16;
    if whole && name.as_bytes().starts_with(UNFINISHED.as_bytes()) {
        remove(path);
    }
}

/// Whether there is nothing any more.
fn remove(path: &Path) -> bool {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a part of a file stays");
            false
        }
        _ => true,
    }
}

fn forget(note: &Path) {
    // Should it stay, the next start finds nothing where it leads.
    let _ = fs::remove_file(note);
}

fn random() -> io::Result<u64> {
    let mut random = [0_u8; 8];
    rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(random))
}
