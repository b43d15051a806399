//! Image records: names, layers and size, beside the configuration whose digest is the image's id.

use serde::{Deserialize, Serialize};

use super::{
    ImageId, LayerId, Store, StoreError,
    layout::{Discarded, RECORD},
    record,
};
use crate::sys::kill_point::{self, Point};

/// The file with the OCI image configuration, byte for byte.
const CONFIG: &str = "config.json";

/// A name of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Normalised: registry, repository and tag.
    pub name: String,
    /// When it was given, in nanoseconds of the Unix epoch: should a crash leave it on two images, the later one has it.
    pub since: i64,
}

/// What is known of an image beside its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// The digest of the configuration.
    pub id: ImageId,
    /// Its names.
    pub tags: Vec<Tag>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerId>,
    /// The bytes of all its files.
    pub size: u64,
}

/// An image as it is on disk.
#[derive(Debug, Clone)]
pub struct StoredImage {
    /// The record.
    pub record: ImageRecord,
    /// The configuration.
    pub config: Vec<u8>,
}

impl Store {
    /// Adds an image; one with this id that is there already is replaced.
    pub fn add_image(&self, image: &StoredImage) -> Result<(), StoreError> {
        let target = self.layout.image(&image.record.id);
        let staged = self.layout.stage()?;
        record::write_bytes(staged.path(), CONFIG, &image.config)?;
        record::write(staged.path(), RECORD, &image.record)?;
        kill_point::reached(Point::ImportImageStaged);
        if staged.commit(&target)? {
            return Ok(());
        }
        record::write(&target, RECORD, &image.record)
    }

    /// Writes a changed record.
    pub fn update_image(&self, image: &ImageRecord) -> Result<(), StoreError> {
        record::write(&self.layout.image(&image.id), RECORD, image)
    }

    /// Takes an image out of the store; its layers stay.
    pub fn discard_image(&self, id: &ImageId) -> Result<Discarded, StoreError> {
        self.layout.discard(&self.layout.image(id))
    }

    pub(super) fn read_image(&self, id: &ImageId) -> Result<StoredImage, StoreError> {
        let directory = self.layout.image(id);
        let record: ImageRecord = record::read(&directory.join(RECORD))?;
        let path = directory.join(CONFIG);
        let config = std::fs::read(&path).map_err(StoreError::io("cannot read", &path))?;
        let intact = record.id == *id && ImageId::of_config(&config) == *id;
        let lost = record
            .layers
            .iter()
            .map(|layer| self.layout.layer_files(layer));
        if let Some(lost) = lost.into_iter().find(|files| !files.is_dir()) {
            return Err(StoreError::Inconsistent {
                path: lost,
                reason: "the layer is missing",
            });
        }
        if intact {
            Ok(StoredImage { record, config })
        } else {
            Err(StoreError::Inconsistent {
                path,
                reason: "its digest is not the image's id",
            })
        }
    }
}
