//! ExportContainer: a container's files as a tar on the server's disk.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

use super::{EngineError, Result, container::Container, state::Phase};
use crate::{
    store::{Limits, Store, pack},
    sys::{
        kill_point::{self, Point},
        layers::Layers,
    },
};

/// Writes the tar, and puts it at `path` once it is whole.
pub(super) fn export(store: &Store, container: &Container, path: &str) -> Result<()> {
    let target = target(path)?;
    let failed = || EngineError::failed(format!("path: cannot write {path:?}"));
    let unfinished = store.write_beside(&target).map_err(failed())?;
    kill_point::reached(Point::ExportOpened);
    let written = write(container, &unfinished.file);
    // The files of a container that is being removed disappear one after the other.
    if matches!(container.state().phase, Phase::Removing | Phase::Removed) {
        return Err(EngineError::ContainerNotFound {
            name: container.id(),
        });
    }
    written.map_err(EngineError::failed("cannot export the container"))?;
    kill_point::reached(Point::ExportWritten);
    unfinished.finish().map_err(failed())
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
