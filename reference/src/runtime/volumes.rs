//! Makes volumes ready for a start.

use std::{fs, io, os::fd::AsFd, path::Path};

use rustix::fs::FileType;

use super::{ContainerSetup, files::FILES};
use crate::{
    settings::{Source, Volume},
    sys::tree::{Tree, file_type},
};

impl ContainerSetup {
    /// Looks whether they are there, and makes room for the engine's files in those that would hide them.
    ///
    /// # Errors
    /// The cause, with the field's name and the volume.
    pub fn prepare_volumes(&self) -> io::Result<()> {
        for volume in &self.settings.mounts.volumes {
            let path = self.volumes.path(&volume.source);
            let told = |error: io::Error| {
                let told = format!("volumes: {}: {error}", path.display());
                io::Error::new(error.kind(), told)
            };
            // The host's may be named by a link.
            let found = fs::canonicalize(&path).map_err(told)?;
            self.make_room_in(volume, &found).map_err(told)?;
        }
        for path in self.settings.mounts.destinations() {
            self.leads_straight(path).map_err(|error| {
                io::Error::other(format!("volumes: {}: {error}", path.display()))
            })?;
        }
        Ok(())
    }

    /// Links of the image were followed when the container was created. Another one has come since, and may lead anywhere.
    fn leads_straight(&self, path: &Path) -> io::Result<()> {
        let mounts = &self.settings.mounts;
        let around = mounts
            .destinations()
            .filter(|it| *it != path && path.starts_with(it));
        let around = around.max_by_key(|it| it.components().count());
        let volume = around.and_then(|it| mounts.volumes.iter().find(|one| one.destination == it));
        let (root, inside) = match (around, volume) {
            (Some(around), Some(volume)) => (
                self.volumes.path(&volume.source),
                path.strip_prefix(around).unwrap_or(path),
            ),
            // In a tmpfs there is nothing yet.
            (Some(_), None) => return Ok(()),
            (None, _) => (self.rootfs.clone(), path),
        };
        if fs::metadata(&root)?.is_dir()
            && !Tree::open(&fs::canonicalize(root)?)?.leads_straight(inside)?
        {
            return Err(io::Error::other("there is a link by now"));
        }
        Ok(())
    }

    fn make_room_in(&self, volume: &Volume, path: &Path) -> io::Result<()> {
        for (file, _) in FILES {
            let Ok(inside) = Path::new(file).strip_prefix(&volume.destination) else {
                continue;
            };
            if !inside.as_os_str().is_empty() && !self.settings.mounts.has(file) {
                make_room(&volume.source, path, inside)?;
            }
        }
        Ok(())
    }
}

/// Only in a volume that is the container's own may anything give way to a file.
fn make_room(source: &Source, volume: &Path, inside: &Path) -> io::Result<()> {
    let tree = Tree::open(volume)?;
    let refused = |what: &str| Err(io::Error::other(format!("{what} {}", inside.display())));
    let found = file_type(tree.directory(Path::new("."))?.as_fd(), inside)?;
    match (source, found) {
        (_, Some(FileType::RegularFile)) => Ok(()),
        (Source::Own(_), _) | (Source::Named(_), None) => tree.place_file(inside),
        (_, None) => refused("it has no file"),
        (_, Some(_)) => refused("it has something else than a file in the place of"),
    }
}
