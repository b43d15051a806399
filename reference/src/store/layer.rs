//! Layers: directories of files, named by the digest of the tar that they came from, shared by images.

use std::{collections::HashSet, fs::File, os::fd::AsFd, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    LayerId, Limits, Store, StoreError, archive,
    layout::{Discarded, RECORD, Staged, names},
    record, root, unpack,
};
use crate::sys::kill_point::{self, Point};

/// What is known of a layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerRecord {
    /// The digest of the uncompressed tar.
    pub id: LayerId,
    /// The bytes of its files.
    pub size: u64,
}

/// A layer that is unpacked and durable, but not in the store yet. Gone when dropped.
#[derive(Debug)]
pub struct StagedLayer<'a> {
    staged: Staged<'a>,
    record: LayerRecord,
}

impl StagedLayer<'_> {
    /// What it will be.
    #[must_use]
    pub fn record(&self) -> &LayerRecord {
        &self.record
    }
}

impl Store {
    /// Unpacks a tar on the server's disk.
    pub fn stage_layer(
        &self,
        source: &Path,
        limits: Limits,
    ) -> Result<StagedLayer<'_>, StoreError> {
        let stream = archive::open(source, limits)?;
        let staged = self.layout.stage()?;
        let files = staged.path().join("diff");
        root::create(&files).map_err(StoreError::io("cannot create", &files))?;
        let unpacked = unpack::unpack(stream, &files, self.layout.trash().as_fd(), limits)?;
        kill_point::reached(Point::ImportUnpacked);
        let record = LayerRecord {
            id: unpacked.id,
            size: unpacked.size,
        };
        record::write(staged.path(), RECORD, &record)?;
        // One flush for all files: many small ones would wait for the disk each by itself.
        File::open(&files)
            .and_then(|file| Ok(rustix::fs::syncfs(file)?))
            .map_err(StoreError::io("cannot sync", files))?;
        kill_point::reached(Point::ImportStaged);
        Ok(StagedLayer { staged, record })
    }

    /// Makes it part of the store; content that is there already is shared.
    pub fn commit_layer(&self, layer: StagedLayer<'_>) -> Result<LayerRecord, StoreError> {
        let target = self.layout.layer(&layer.record.id);
        layer.staged.commit(&target)?;
        Ok(layer.record)
    }

    /// Takes a layer that no image needs out of the store.
    pub fn discard_layer(&self, id: &LayerId) -> Result<Discarded, StoreError> {
        self.layout.discard(&self.layout.layer(id))
    }

    /// Removes the layers that are not `wanted`: a crash left them.
    pub fn remove_other_layers(&self, wanted: &HashSet<LayerId>) -> Result<(), StoreError> {
        for name in names(&self.layout.layers())? {
            let known = name.to_str().is_some_and(|name| wanted.contains(name));
            if !known {
                self.layout.remove(&self.layout.layers().join(name))?;
            }
        }
        Ok(())
    }
}
