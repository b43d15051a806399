//! Namespaces that a container shares with another one: the daemon records whose they are, the monitor opens them.

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd,
    path::Path,
};

use oci_spec::runtime::{LinuxNamespaceType, Spec};
use serde::{Deserialize, Serialize};

use super::{bundle::CONFIGURATION, mounts::SHM};
use crate::sys::{
    namespace::{self, Kind},
    process::{Pid, ProcessId},
    share::share,
};

/// Their file in the bundle.
const FILE: &str = "joins.json";

/// A namespace of another container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// What kind it is of.
    pub kind: Kind,
    /// The other container's first process.
    pub process: ProcessId,
}

/// Leaves them to the process that makes the container.
pub(super) fn write(joins: &[Join], bundle: &Path) -> io::Result<()> {
    fs::write(bundle.join(FILE), serde_json::to_vec(joins)?)
}

/// Namespaces of other containers, held so that none can become another's.
#[derive(Debug, Default)]
pub(super) struct Joined {
    held: Vec<File>,
    /// The mount namespace of the container whose shared memory is shared, too.
    memory: Option<File>,
}

impl Joined {
    /// Opens those of the bundle, and names them in its OCI configuration.
    ///
    /// # Errors
    /// Which one cannot be opened: the other container has ended.
    pub(super) fn open(bundle: &Path) -> io::Result<Self> {
        let joins: Vec<Join> = serde_json::from_slice(&fs::read(bundle.join(FILE))?)?;
        let mut joined = Self::default();
        if joins.is_empty() {
            return Ok(joined);
        }
        let configuration = bundle.join(CONFIGURATION);
        let mut spec = Spec::load(&configuration).map_err(io::Error::other)?;
        for Join { kind, process } in &joins {
            let held = namespace::open(process, *kind)?;
            name(&mut spec, *kind, &held)?;
            joined.held.push(held);
            if *kind == Kind::Ipc {
                joined.memory = Some(namespace::open(process, Kind::Mount)?);
            }
        }
        spec.save(configuration).map_err(io::Error::other)?;
        Ok(joined)
    }

    /// Gives the container with this first process the shared memory that goes with its ipc namespace.
    pub(super) fn share_memory(&self, pid: Pid) -> io::Result<()> {
        match &self.memory {
            Some(of) => share(of, pid, Path::new(SHM)),
            None => Ok(()),
        }
    }
}

/// Has the library join an open namespace instead of making one.
fn name(spec: &mut Spec, kind: Kind, held: &File) -> io::Result<()> {
    let wanted = match kind {
        Kind::Ipc => LinuxNamespaceType::Ipc,
        Kind::Mount => LinuxNamespaceType::Mount,
        Kind::Network => LinuxNamespaceType::Network,
        Kind::Pid => LinuxNamespaceType::Pid,
    };
    let linux = spec.linux_mut().as_mut();
    let namespaces = linux.and_then(|linux| linux.namespaces_mut().as_mut());
    let found = namespaces.and_then(|all| all.iter_mut().find(|one| one.typ() == wanted));
    // Without its name there the container would get one of its own.
    let found = found.ok_or_else(|| io::Error::other("the configuration lacks a namespace"))?;
    found.set_path(Some(format!("/proc/self/fd/{}", held.as_raw_fd()).into()));
    Ok(())
}
