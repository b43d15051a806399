//! What a container was asked for beyond its program: the engine checks it, the store keeps it, the runtime applies it.
//!
//! Plain data; a field that a record lacks has its default.

use std::{collections::BTreeSet, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::sys::ownership::Owner;

mod lifecycle;
mod mounts;
mod namespaces;
mod network;
mod resources;
mod security;
mod stdio;

pub use lifecycle::Lifecycle;
pub use mounts::{Mounts, Propagation, Source, Tmpfs, Volume};
pub use namespaces::{IdMappings, IdRange, Namespace, Namespaces};
pub use network::{KnownHost, Network, Ports, Protocol};
pub use resources::{Amount, DeviceFigure, Resources, Ulimit};
pub use security::{Capabilities, Device, Seccomp, Security};
pub use stdio::{Log, Stdio};

/// Their file in a container's run directory, where its monitor finds them.
const FILE: &str = "settings.json";

/// A container's settings, a part for each concern.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Who the processes are and what they may do.
    pub security: Security,
    /// Limits, as the kernel takes them.
    pub resources: Resources,
    /// Which namespaces a container has of its own, and its ids.
    pub namespaces: Namespaces,
    /// A container's network, and the names that it knows.
    pub network: Network,
    /// What is mounted in a container beyond its root filesystem and the defaults.
    pub mounts: Mounts,
    /// A container's standard streams and their log.
    pub stdio: Stdio,
    /// What happens at a container's start and end.
    pub lifecycle: Lifecycle,
}

impl Settings {
    /// Leaves them in a container's run directory.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, run: &Path) -> io::Result<()> {
        fs::write(run.join(FILE), serde_json::to_vec(self)?)
    }

    /// Those in a container's run directory.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn load(run: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(run.join(FILE))?)?)
    }

    /// To whom the files belong that the engine makes in the container, if its ids are not the host's.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.namespaces.ids.as_ref().map(IdMappings::owner)
    }

    /// The ids of the containers whose namespaces it uses.
    #[must_use]
    pub fn dependencies(&self) -> BTreeSet<&str> {
        let Namespaces { ipc, pid, .. } = &self.namespaces;
        [ipc, pid]
            .into_iter()
            .filter_map(Namespace::container)
            .chain(self.network.container.as_deref())
            .collect()
    }
}
