//! Images, layers and container records on disk.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

mod archive;
pub mod container;
pub mod error;
pub mod id;
pub mod image;
pub mod layer;
pub mod layout;
pub mod record;
mod unpack;

pub use archive::Limits;
pub use container::{ContainerRecord, ProcessRecord};
pub use error::{ArchiveError, StoreError};
pub use id::{ContainerId, ImageId, LayerId};
pub use image::{ImageRecord, StoredImage, Tag};
pub use layer::{LayerRecord, StagedLayer};
pub use layout::{Discarded, Layout};

/// The store. It keeps no index: its user holds what [`Store::open`] found and says what changes.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
}

/// What a store held when it was opened.
#[derive(Debug, Default)]
pub struct Contents {
    /// All images.
    pub images: Vec<StoredImage>,
    /// All containers.
    pub containers: Vec<ContainerRecord>,
    /// What could not be read.
    pub set_aside: Vec<SetAside>,
}

/// An object whose files are damaged. It does not count any more, and nothing of it was removed.
#[derive(Debug)]
pub struct SetAside {
    /// What is wrong, with the file's path as it was.
    pub error: StoreError,
    /// Where it is now.
    pub moved_to: PathBuf,
}

impl SetAside {
    /// The id of a container whose record was damaged.
    #[must_use]
    pub fn container(&self) -> Option<ContainerId> {
        let name = self.moved_to.file_name()?.to_str()?;
        name.strip_prefix("container-")?.get(..64)?.parse().ok()
    }
}

impl Store {
    /// Opens the store, creating it when there is none, and reads all records.
    pub fn open(root: &Path, runroot: &Path) -> Result<(Self, Contents), StoreError> {
        let store = Self {
            layout: Layout::open(root, runroot)?,
        };
        let mut contents = Contents::default();
        contents.images = store.scan(
            "image",
            &store.layout.images(),
            |id| store.read_image(id),
            &mut contents.set_aside,
        )?;
        contents.containers = store.scan(
            "container",
            &store.layout.containers(),
            |id| store.read_container(id),
            &mut contents.set_aside,
        )?;
        Ok((store, contents))
    }

    /// Where things are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn scan<Id: FromStr, T>(
        &self,
        kind: &str,
        directory: &Path,
        read: impl Fn(&Id) -> Result<T, StoreError>,
        set_aside: &mut Vec<SetAside>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for name in layout::names(directory)? {
            let path = directory.join(&name);
            let object = match name.to_str().map(Id::from_str) {
                Some(Ok(id)) => read(&id),
                _ => Err(StoreError::Inconsistent {
                    path: path.clone(),
                    reason: "its name is not an id",
                }),
            };
            match object {
                Ok(object) => found.push(object),
                Err(error) => {
                    let moved_to = self.layout.move_aside(kind, &path)?;
                    set_aside.push(SetAside { error, moved_to });
                }
            }
        }
        Ok(found)
    }
}
