//! Images, layers, container records and volumes on disk.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

mod archive;
mod attributes;
mod beside;
pub mod container;
pub mod error;
mod fill;
pub mod id;
pub mod image;
pub mod layer;
pub mod layout;
mod pack;
pub mod record;
mod root;
mod unpack;
mod volume;

pub use archive::Limits;
pub use beside::Unfinished;
pub use container::{ContainerRecord, ProcessRecord};
pub use error::{ArchiveError, StoreError};
pub use id::{ContainerId, ImageId, LayerId};
pub use image::{ImageRecord, StoredImage, Tag};
pub use layer::{LayerRecord, StagedLayer};
pub use layout::{Discarded, Layout};
pub use pack::pack;

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
    /// What could not be read. It does not count; [`Store::set_aside`] takes it out of the way.
    pub damaged: Vec<Damaged>,
}

/// An object whose files are damaged.
#[derive(Debug)]
pub struct Damaged {
    /// What is wrong, with the file's path.
    pub error: StoreError,
    kind: &'static str,
    path: PathBuf,
}

impl Damaged {
    /// The id of a container whose record is damaged.
    #[must_use]
    pub fn container(&self) -> Option<ContainerId> {
        let name = self.path.file_name()?.to_str()?;
        (self.kind == CONTAINER).then(|| name.parse().ok())?
    }
}

const IMAGE: &str = "image";
const CONTAINER: &str = "container";

impl Store {
    /// Opens the store, creating it when there is none, and reads all records.
    pub fn open(root: &Path, runroot: &Path) -> Result<(Self, Contents), StoreError> {
        let store = Self {
            layout: Layout::open(root, runroot)?,
        };
        let mut contents = Contents::default();
        contents.images = store.scan(
            IMAGE,
            &store.layout.images(),
            |id| store.read_image(id),
            &mut contents.damaged,
        )?;
        contents.containers = store.scan(
            CONTAINER,
            &store.layout.containers(),
            |id| store.read_container(id),
            &mut contents.damaged,
        )?;
        Ok((store, contents))
    }

    /// Moves a damaged object out of the way, with nothing of it removed; returns where it is now.
    pub fn set_aside(&self, damaged: &Damaged) -> Result<PathBuf, StoreError> {
        self.layout.move_aside(damaged.kind, &damaged.path)
    }

    /// Whether it can be used: its directories are still there.
    ///
    /// # Errors
    /// [`StoreError::Gone`] with the one that is not.
    pub fn check(&self) -> Result<(), StoreError> {
        self.layout.check()
    }

    /// Where things are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    fn scan<Id: FromStr, T>(
        &self,
        kind: &'static str,
        directory: &Path,
        read: impl Fn(&Id) -> Result<T, StoreError>,
        damaged: &mut Vec<Damaged>,
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
                Err(error) => damaged.push(Damaged { error, kind, path }),
            }
        }
        Ok(found)
    }
}
