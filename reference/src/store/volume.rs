//! Volumes: directories of files that containers mount. A volume has no record: its name and its files are all there is to know of it.
//!
//! A container's own volumes lie beside its record, and go with it. A volume with a name is filled there too, and gets its name once
//! the container is in the store: so a crash leaves both or neither, and never a volume that is filled in part.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};

use super::{
    ContainerId, ContainerRecord, Store, StoreError, fill,
    layout::{create_private, names},
    record,
};
use crate::{
    settings::Source,
    sys::{
        kill_point::{self, Point},
        layers::Layers,
    },
};

/// In a container's directory: its own volumes, by their numbers.
pub(super) const OWN: &str = "volumes";
/// In a container's directory: volumes that are still to get their names.
const NEW: &str = "new-volumes";

impl Store {
    /// Makes those volumes of a container that are not there yet, in the directory where it is built.
    pub(super) fn fill_volumes(
        &self,
        container: &ContainerRecord,
        directory: &Path,
    ) -> Result<(), StoreError> {
        let mut wanted: Vec<(PathBuf, &Path)> = Vec::new();
        for volume in &container.settings.mounts.volumes {
            let target = match &volume.source {
                Source::Host(_) => continue,
                Source::Own(number) => directory.join(OWN).join(number.to_string()),
                Source::Named(name) if self.layout.volume(name).exists() => continue,
                Source::Named(name) => directory.join(NEW).join(name),
            };
            // One that is mounted twice is filled from its first place.
            if !wanted.iter().any(|(other, _)| *other == target) {
                wanted.push((target, &volume.destination));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let lower: Vec<PathBuf> = container
            .layers
            .iter()
            .rev()
            .map(|layer| self.layout.layer_files(layer))
            .collect();
        let layers = Layers::open(lower.iter().map(PathBuf::as_path));
        let layers = layers.map_err(StoreError::io("cannot open the layers of", directory))?;
        let ids = container.settings.namespaces.ids.as_ref();
        for (target, place) in wanted {
            target.parent().map_or(Ok(()), create_private)?;
            fill::fill(&layers, place, &target, ids)
                .map_err(StoreError::io("cannot fill", target))?;
        }
        // One flush for all files, as for a layer.
        File::open(directory)
            .and_then(|it| Ok(rustix::fs::syncfs(it)?))
            .map_err(StoreError::io("cannot sync", directory))
    }

    /// Gives the new volumes of a container that is in the store their names. One that has got its name from another container
    /// meanwhile stays what it is.
    pub fn name_volumes(&self, id: &ContainerId) -> Result<(), StoreError> {
        let new = self.layout.container(id).join(NEW);
        if !new.exists() {
            return Ok(());
        }
        for name in names(&new)? {
            let (from, to) = (new.join(&name), self.layout.volumes().join(&name));
            match rustix::fs::renameat_with(CWD, &from, CWD, &to, RenameFlags::NOREPLACE) {
                Ok(()) => {}
                Err(Errno::EXIST) => self.layout.remove(&from)?,
                Err(error) => return Err(StoreError::io("cannot create", to)(error.into())),
            }
            kill_point::reached(Point::CreateVolumeNamed);
        }
        record::sync_directory(&self.layout.volumes())?;
        std::fs::remove_dir(&new).map_err(StoreError::io("cannot remove", new))
    }
}
