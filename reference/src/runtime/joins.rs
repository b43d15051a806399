//! Namespaces that are there before a container is: those that it shares with another one, which the daemon records and the monitor
//! opens, and those that belong to a user namespace of its own.
//!
//! The runtime library could make a user namespace, too. But it then makes all mounts as the root user in there, who may not
//! reach the directories of the engine, and needs programs of the host for more than one range of ids. So it does its work as
//! root, whose files belong to the container's root meanwhile; and process 1 goes to the user namespace as the last thing before
//! its program (`confinement`).

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd,
    path::Path,
    sync::Arc,
};

use nix::unistd::sethostname;
use oci_spec::runtime::{LinuxNamespaceType, Spec};
use serde::{Deserialize, Serialize};

use super::{bundle::CONFIGURATION, mounts::SHM};
use crate::{
    settings::IdMappings,
    sys::{
        namespace::{self, Kind, visit_held},
        process::{Pid, ProcessId},
        share::share,
        user_namespace::Holder,
    },
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

/// Namespaces for a container, held so that none can become another's.
#[derive(Debug, Default)]
pub(super) struct Joined {
    held: Vec<File>,
    /// The mount namespace of the container whose shared memory is shared, too.
    memory: Option<File>,
    /// Its own user namespace.
    user: Option<Arc<File>>,
}

impl Joined {
    /// Opens those of the bundle, makes those that belong to the container's own user namespace, and names all in its OCI
    /// configuration.
    ///
    /// # Errors
    /// Which one cannot be opened: the other container has ended; or why there is no user namespace.
    pub(super) fn open(bundle: &Path, ids: Option<&IdMappings>) -> io::Result<Self> {
        let joins: Vec<Join> = serde_json::from_slice(&fs::read(bundle.join(FILE))?)?;
        let mut joined = Self::default();
        if joins.is_empty() && ids.is_none() {
            return Ok(joined);
        }
        let configuration = bundle.join(CONFIGURATION);
        let mut spec = Spec::load(&configuration).map_err(io::Error::other)?;
        for join in &joins {
            joined.join(join, &mut spec)?;
        }
        if let Some(ids) = ids {
            joined.make(ids, &mut spec)?;
        }
        spec.save(configuration).map_err(io::Error::other)?;
        Ok(joined)
    }

    fn join(&mut self, join: &Join, spec: &mut Spec) -> io::Result<()> {
        let Join { kind, process } = join;
        let failed = |error: io::Error| {
            let text = format!("cannot join the namespace of another container: {error}");
            io::Error::new(error.kind(), text)
        };
        let held = namespace::open(process, *kind).map_err(failed)?;
        name(spec, *kind, &held)?;
        self.held.push(held);
        if *kind == Kind::Ipc {
            self.memory = Some(namespace::open(process, Kind::Mount).map_err(failed)?);
        }
        Ok(())
    }

    /// Makes the user namespace, and those that would not be its own if the library made them as root.
    fn make(&mut self, ids: &IdMappings, spec: &mut Spec) -> io::Result<()> {
        let is_own = |kind: &Kind| unnamed(spec, *kind).is_some();
        let own: Vec<Kind> = [Kind::Ipc, Kind::Network, Kind::Uts]
            .into_iter()
            .filter(is_own)
            .collect();
        let holder = Holder::new(&ids.maps(), &own)?;
        for kind in own {
            let held = holder.open(kind)?;
            if kind == Kind::Uts {
                let hostname = spec.hostname().clone().unwrap_or_default();
                visit_held(&held, kind, || Ok(sethostname(&hostname)?))?;
            }
            name(spec, kind, &held)?;
            self.held.push(held);
        }
        self.user = Some(Arc::new(holder.open(Kind::User)?));
        Ok(())
    }

    /// The container's own user namespace, where it has one.
    pub(super) fn user(&self) -> Option<Arc<File>> {
        self.user.clone()
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
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    // Without its name there the container would get one of its own.
    let found = unnamed(spec, kind).and_then(|at| {
        let namespaces = spec.linux_mut().as_mut()?.namespaces_mut().as_mut()?;
        namespaces.get_mut(at)
    });
    let found = found.ok_or_else(|| io::Error::other("the configuration lacks a namespace"))?;
    found.set_path(Some(path.into()));
    Ok(())
}

/// Where in the configuration a namespace stands that the library is to make.
fn unnamed(spec: &Spec, kind: Kind) -> Option<usize> {
    let wanted = match kind {
        Kind::Ipc => LinuxNamespaceType::Ipc,
        Kind::Mount => LinuxNamespaceType::Mount,
        Kind::Network => LinuxNamespaceType::Network,
        Kind::Pid => LinuxNamespaceType::Pid,
        Kind::User => LinuxNamespaceType::User,
        Kind::Uts => LinuxNamespaceType::Uts,
    };
    let namespaces = spec.linux().as_ref()?.namespaces().as_ref()?;
    namespaces
        .iter()
        .position(|one| one.typ() == wanted && one.path().is_none())
}
