//! Container records: what was asked for. How far a container got is for its monitor's records to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ContainerId, Damaged, ImageId, LayerId, Store, StoreError,
    layout::{Discarded, RECORD, create_private},
    record, root,
};
use crate::{
    settings::Settings,
    sys::{
        kill_point::{self, Point},
        replace::{Durability, replace},
    },
};

/// The name of a record that was damaged, beside the one that was made for it.
const DAMAGED: &str = "record.json.damaged";

/// Everything that a container is, but for its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerRecord {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: String,
    /// The image as the caller named it.
    pub image: String,
    /// The image that this meant.
    pub image_id: ImageId,
    /// The image's layers, lowest first.
    pub layers: Vec<LayerId>,
    /// The bytes of the image's files.
    pub image_size: u64,
    /// When it was created, in nanoseconds of the Unix epoch.
    pub created: i64,
    /// What runs, with the image's defaults filled in.
    pub process: ProcessRecord,
    /// The host name inside.
    pub hostname: String,
    /// Labels, the image's included.
    pub labels: BTreeMap<String, String>,
    /// `none`, `host` or `container:ID`.
    pub net_mode: String,
    /// The signal that asks it to stop.
    pub stop_signal: i32,
    /// Seconds between that and SIGKILL.
    pub stop_timeout: u32,
    /// What else was asked for.
    #[serde(default)]
    pub settings: Settings,
}

/// What runs in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// The whole command line.
    pub arguments: Vec<String>,
    /// How many of its words are the entrypoint's; the others are the command's.
    #[serde(default)]
    pub entrypoint_length: usize,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// As it was asked for: names or numbers, `user`, `user:group`; empty for root.
    pub user: String,
    /// Absolute.
    pub working_directory: String,
}

impl Store {
    /// Adds a container with an empty writable layer, and the volumes of it that are not there yet.
    pub fn add_container(&self, container: &ContainerRecord) -> Result<(), StoreError> {
        let staged = self.layout.stage()?;
        kill_point::reached(Point::CreateStaged);
        let upper = staged.path().join("upper");
        let made = match container.layers.last() {
            Some(layer) => root::create_like(&upper, &self.layout.layer_files(layer)),
            None => root::create(&upper),
        };
        made.map_err(StoreError::io("cannot create", &upper))?;
        create_private(&staged.path().join("work"))?;
        kill_point::reached(Point::CreateLayered);
        self.fill_volumes(container, staged.path())?;
        kill_point::reached(Point::CreateFilled);
        record::write_first(staged.path(), RECORD, container)?;
        kill_point::reached(Point::CreateRecorded);
        let target = self.layout.container(&container.id);
        if !staged.commit(&target)? {
            return Err(StoreError::Inconsistent {
                path: target,
                reason: "the id is taken",
            });
        }
        kill_point::reached(Point::CreateCommitted);
        let named = self.name_volumes(&container.id);
        if named.is_err() {
            // The caller hears of the first trouble.
            let _ = self.layout.remove(&target);
        }
        named
    }

    /// Keeps a copy of a container's record in its run directory, which is there, for [`Store::mend_container`].
    pub fn copy_container(&self, container: &ContainerRecord) -> Result<(), StoreError> {
        let copy = self.layout.run_directory(&container.id).join(RECORD);
        let content = serde_json::to_vec(container).map_err(|source| StoreError::Damaged {
            path: copy.clone(),
            source,
        })?;
        replace(&copy, &content, Durability::Processes)
            .map_err(StoreError::io("cannot write", copy))
    }

    /// Makes up for a damaged record by its copy, if there is one and it is whole: the container is then as it was. The damaged
    /// record stays beside the new one.
    pub fn mend_container(&self, damaged: &Damaged) -> Result<Option<ContainerRecord>, StoreError> {
        let Some(id) = damaged.container() else {
            return Ok(None);
        };
        let copy: Result<ContainerRecord, _> =
            record::read(&self.layout.run_directory(&id).join(RECORD));
        let Some(container) = copy.ok().filter(|copy| copy.id == id) else {
            return Ok(None);
        };
        let directory = self.layout.container(&id);
        let path = directory.join(RECORD);
        match std::fs::rename(&path, directory.join(DAMAGED)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io("cannot set aside", path)(error));
            }
            _ => record::write(&directory, RECORD, &container)?,
        }
        Ok(Some(container))
    }

    /// Takes a container out of the store; from here on it does not come back.
    pub fn discard_container(&self, id: &ContainerId) -> Result<Discarded, StoreError> {
        self.layout.discard(&self.layout.container(id))
    }

    pub(super) fn read_container(&self, id: &ContainerId) -> Result<ContainerRecord, StoreError> {
        let path = self.layout.container(id).join(RECORD);
        let record: ContainerRecord = record::read(&path)?;
        if record.id == *id {
            Ok(record)
        } else {
            Err(StoreError::Inconsistent {
                path,
                reason: "it belongs to another container",
            })
        }
    }
}
