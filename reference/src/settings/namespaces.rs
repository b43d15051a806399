//! Which namespaces a container has of its own, and its ids.

use serde::{Deserialize, Serialize};

/// Which namespaces a container has of its own, and its ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// Message queues and shared memory, `/dev/shm` among it.
    pub ipc: Namespace,
    /// The processes that it sees.
    pub pid: Namespace,
    /// The host name; never another container's.
    pub uts: Namespace,
}

/// Whose a namespace is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// The container's own.
    #[default]
    Private,
    /// The host's.
    Host,
    /// That of the container with this id.
    Container(String),
}

impl Namespace {
    /// The id of the container whose namespace it is, if it is another's.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Container(id) => Some(id),
            Self::Private | Self::Host => None,
        }
    }
}
