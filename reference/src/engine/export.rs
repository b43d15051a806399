//! ExportContainer: a container's files as a tar on the server's disk.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{EngineError, Result, container::Container, state::Phase};
use crate::{
    store::{Limits, pack},
    sys::layers::Layers,
};

/// Writes the tar, and puts it at `path` once it is whole.
pub(super) fn export(container: &Container, path: &str) -> Result<()> {
    let target = target(path)?;
    let unfinished = Unfinished::beside(&target).map_err(EngineError::failed(format!(
        "path: cannot write beside {path:?}"
    )))?;
    let written = write(container, &unfinished.file);
    // The files of a container that is being removed disappear one after the other.
    if matches!(container.state().phase, Phase::Removing | Phase::Removed) {
        return Err(EngineError::ContainerNotFound {
            name: container.id(),
        });
    }
    written.map_err(EngineError::failed("cannot export the container"))?;
    unfinished
        .finish(&target)
        .map_err(EngineError::failed(format!("path: cannot write {path:?}")))
}

fn target(path: &str) -> Result<PathBuf> {
    let refused = |why: &str| EngineError::Refused(format!("path: {path:?} {why}"));
    let target = Path::new(path);
    if !target.is_absolute() || path.contains('\0') {
        return Err(refused("is not an absolute path"));
    }
    if target.file_name().is_none() || path.ends_with('/') {
        return Err(refused("is a directory"));
    }
    match std::fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(refused("is a directory")),
        // A device would be replaced by a file.
        Ok(found) if !found.is_file() => Err(refused("is not a file")),
        _ => Ok(target.to_owned()),
    }
}

fn write(container: &Container, file: &File) -> io::Result<()> {
    let lower = container.lower.iter().map(PathBuf::as_path);
    let layers = Layers::open(std::iter::once(container.upper.as_path()).chain(lower))?;
    pack(
        &layers,
        BufWriter::with_capacity(1 << 18, file),
        Limits::STANDARD,
    )?;
    file.sync_all()
}

/// A file under another name, gone when dropped unless it was finished.
struct Unfinished {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Unfinished {
    /// Only its owner can read it: it holds all that the container does.
    fn beside(target: &Path) -> io::Result<Self> {
        let mut random = [0_u8; 8];
        rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())?;
        let name = format!(".export-{:016x}", u64::from_ne_bytes(random));
        let path = target.with_file_name(name);
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path,
            file,
            kept: false,
        })
    }

    fn finish(mut self, target: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, target)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a part of a tar stays");
        }
    }
}
