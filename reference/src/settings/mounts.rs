//! What is mounted in a container beyond its root filesystem and the defaults.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What is mounted in a container beyond its root filesystem and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounts {
    /// Directories and files from outside of it.
    pub volumes: Vec<Volume>,
    /// Empty filesystems in memory.
    pub tmpfs: Vec<Tmpfs>,
}

/// A directory or a file from outside, visible in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// What is visible.
    pub source: Source,
    /// Where: absolute, without `..`, and without links as the image has them.
    pub destination: PathBuf,
    /// Whether it cannot be written, nor what is mounted in it.
    #[serde(default)]
    pub read_only: bool,
    /// Words of mount(8) that apply to it and what is mounted in it: of nosuid, nodev, noexec.
    #[serde(default)]
    pub restrictions: Vec<String>,
    /// What later mounts have to do with it.
    #[serde(default)]
    pub propagation: Propagation,
}

/// What a volume shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A path of the host: absolute.
    Host(PathBuf),
    /// The volume of this name, which any container may use.
    Named(String),
    /// One of the container's own, by its number.
    Own(usize),
}

/// Whether a mount that is made below a volume, on one side, appears on the other one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// Nothing does.
    #[default]
    Private,
    /// What the host mounts appears in the container.
    Slave,
    /// Nothing does, and it cannot be bound to another place.
    Unbindable,
}

/// An empty filesystem in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where: absolute, without `..`, and without links as the image has them.
    pub destination: PathBuf,
    /// Words of mount(8), the default ones included.
    pub options: Vec<String>,
}

impl Mounts {
    /// Where something is mounted.
    pub fn destinations(&self) -> impl Iterator<Item = &Path> {
        let volumes = self.volumes.iter().map(|volume| &volume.destination);
        let tmpfs = self.tmpfs.iter().map(|tmpfs| &tmpfs.destination);
        volumes.chain(tmpfs).map(PathBuf::as_path)
    }

    /// Whether something is mounted at just this path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.destinations().any(|it| it == Path::new(path))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty() && self.tmpfs.is_empty()
    }
}

impl Propagation {
    /// Its word in mount(8), for a mount and all below it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Private => "rprivate",
            Self::Slave => "rslave",
            Self::Unbindable => "runbindable",
        }
    }
}
