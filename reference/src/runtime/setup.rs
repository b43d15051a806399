//! A container with everything resolved.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Join, VolumeDirectories};
use crate::settings::{Resources, Settings};

/// A container with everything resolved: nothing here refers to an image, a name or a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSetup {
    /// The container's id.
    pub id: String,
    /// The program and its arguments; at least one.
    pub argv: Vec<String>,
    /// The whole environment, `NAME=value`. PATH and HOME are added where they are missing.
    pub env: Vec<String>,
    /// The working directory: absolute; made, if absent, with root as its owner.
    pub cwd: String,
    /// The host name inside.
    pub hostname: String,
    /// The root file system on the host, mounted.
    pub rootfs: PathBuf,
    /// The directory for those of its files that the engine writes; absolute, and there.
    pub files: PathBuf,
    /// Where volumes are that are not the host's.
    pub volumes: VolumeDirectories,
    /// Who runs the program.
    pub user: User,
    /// The network.
    pub network: Network,
    /// Labels, as annotations of the OCI configuration.
    pub labels: BTreeMap<String, String>,
    /// What else was asked for.
    pub settings: Settings,
    /// The namespaces that it shares with other containers.
    pub joins: Vec<Join>,
}

/// Who runs a container's program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Further group ids.
    pub groups: Vec<u32>,
}

/// A container's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// A network of its own with nothing but a loopback device.
    None,
    /// The host's.
    Host,
    /// That of another container, which is among [`ContainerSetup::joins`].
    Container {
        /// The directory for those of that container's files that the engine writes.
        files: PathBuf,
    },
}

/// The cgroup of the container with this id, in every hierarchy.
#[must_use]
pub fn cgroup_path(id: &str, resources: &Resources) -> PathBuf {
    // Without a parent of its own kind, so that none is left over.
    let parent = resources.cgroup_parent.as_deref();
    parent
        .unwrap_or(Path::new("/"))
        .join(format!("podman-reference-{id}"))
}

/// The cgroup of a container that was started from this OCI bundle, if it was.
#[must_use]
pub fn started_cgroup(id: &str, bundle: &Path) -> PathBuf {
    let settings = Settings::load(bundle).unwrap_or_default();
    cgroup_path(id, &settings.resources)
}
