//! A container's process, made with libcontainer. Only for a process with one thread: the library forks and changes directory.

use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use libcontainer::{
    container::builder::ContainerBuilder,
    error::LibcontainerError,
    notify_socket::{NOTIFY_FILE, NotifySocket},
    syscall::syscall::SyscallType,
};

use oci_spec::runtime::Spec;

use super::{
    bundle::CONFIGURATION, confinement::Confinement, console::Console, devices, executor::Program,
    guard, joins::Joined, limits, maker, mounts::SHM, placement::Placement, setup::User,
    setup::cgroup_path, streams, trouble::Trouble,
};
use crate::{
    settings::{IdMappings, Settings},
    sys::{
        cgroup, network,
        ownership::{Guise, Owner},
        process::{self, Pid},
        sysctl,
    },
};

/// The container's side of its standard streams.
#[derive(Debug)]
pub struct Pipes {
    /// `None`: at its end from the start.
    pub stdin: Option<OwnedFd>,
    /// Standard output.
    pub stdout: OwnedFd,
    /// Standard error.
    pub stderr: OwnedFd,
}

/// A container that is being made, runs, or has ended.
pub struct Container {
    id: String,
    bundle: PathBuf,
    settings: Settings,
    cgroup: PathBuf,
    pid: Option<Pid>,
    trouble: Option<Trouble>,
}

impl Container {
    /// The container of the OCI bundle at `bundle`; the runtime's own state goes to `oci/` in there.
    #[must_use]
    pub fn new(id: &str, bundle: &Path, settings: Settings) -> Self {
        Self {
            id: id.to_owned(),
            bundle: bundle.to_owned(),
            cgroup: cgroup_path(id, &settings.resources),
            settings,
            pid: None,
            trouble: None,
        }
    }

    /// Makes its process 1, a child of this process, which waits before the program.
    ///
    /// # Errors
    /// The cause; then nothing is left of it.
    pub fn create(&mut self, pipes: Pipes) -> Result<Pid, String> {
        self.create_from(|builder| {
            let builder = builder.with_stdout(pipes.stdout).with_stderr(pipes.stderr);
            match pipes.stdin {
                Some(stdin) => builder.with_stdin(stdin),
                None => builder,
            }
        })
    }

    /// As [`Container::create`], for a container whose configuration has a terminal, with that one's master.
    ///
    /// # Errors
    /// The cause; then nothing is left of it.
    pub fn create_with_terminal(&mut self) -> Result<(Pid, OwnedFd), String> {
        let console = Console::listen(&self.bundle).map_err(|error| error.to_string())?;
        let pid = self.create_from(|builder| builder.with_console_socket(Some(console.path())))?;
        match console.master() {
            Ok(master) => Ok((pid, master)),
            Err(error) => {
                self.remove();
                Err(format!("the container's terminal did not come: {error}"))
            }
        }
    }

    fn create_from(
        &mut self,
        streams: impl FnOnce(ContainerBuilder) -> ContainerBuilder,
    ) -> Result<Pid, String> {
        let mut trouble = Trouble::catch().map_err(|error| error.to_string())?;
        match self.build(streams, &trouble) {
            Ok(pid) => {
                self.pid = Some(pid);
                self.trouble = Some(trouble);
                limits::enforce(&self.settings.resources, &self.cgroup, pid)
                    .inspect_err(|_| self.remove())?;
                Ok(pid)
            }
            Err(error) => {
                // First: a process that is left holds the pipe that the cause is read from.
                self.remove();
                Err(trouble.cause(&root_cause(&error)))
            }
        }
    }

    /// Lets process 1 execute the program, and waits until it has.
    ///
    /// # Errors
    /// The cause. [`Container::remove`] is still to be called.
    pub fn start(&mut self) -> Result<(), String> {
        let Some(trouble) = &mut self.trouble else {
            return Err("the container was not created".into());
        };
        let state = self.bundle.join("oci").join(&self.id);
        match NotifySocket::new(state.join(NOTIFY_FILE)).notify_container_start() {
            Ok(()) => {
                trouble.until_executed()?;
                self.was_executed()
            }
            Err(error) => {
                let _ = cgroup::remove(&self.cgroup);
                Err(trouble.cause(&root_cause(&error)))
            }
        }
    }

    /// A process that is killed while it makes ready for its program says nothing of it.
    fn was_executed(&self) -> Result<(), String> {
        match self.pid.map(process::until_executed) {
            Some(Ok(false)) if self.oom_killed() => Err(
                "resources.memory: the process was killed before its program began: it needs more"
                    .into(),
            ),
            Some(Ok(false)) => Err("the process was killed before its program began".into()),
            _ => Ok(()),
        }
    }

    /// Whether the kernel killed a process of it for want of memory.
    #[must_use]
    pub fn oom_killed(&self) -> bool {
        cgroup::oom_killed(&self.cgroup)
    }

    /// Kills what is left of it, and removes its cgroups and the runtime's state.
    pub fn remove(&mut self) {
        // What cannot be removed now is removed with the container.
        let _ = cgroup::remove(&self.cgroup);
        let _ = fs::remove_dir_all(self.bundle.join("oci"));
    }

    fn build(
        &self,
        streams: impl FnOnce(ContainerBuilder) -> ContainerBuilder,
        trouble: &Trouble,
    ) -> Result<Pid, LibcontainerError> {
        let confinement = Confinement::read(&self.bundle).map_err(LibcontainerError::OtherIO)?;
        let mapped = confinement.user().cloned();
        let ids = self.settings.namespaces.ids.as_ref();
        let joined = Joined::open(&self.bundle, ids).map_err(LibcontainerError::OtherIO)?;
        let placement = Placement::read(&self.bundle).map_err(LibcontainerError::OtherIO)?;
        let builder = ContainerBuilder::new(self.id.clone(), SyscallType::default())
            .with_root_path(self.bundle.join("oci"))?
            .with_executor(Program::new(
                trouble.writer(),
                placement,
                confinement,
                joined.user(),
                self.settings.resources.ulimit.clone(),
            ));
        let builder = streams(builder)
            .as_init(&self.bundle)
            .with_systemd(false)
            .as_sibling(true)
            .with_detach(true);
        let owner = self.settings.owner();
        let pid = maker::make(&self.cgroup, || {
            let guise = owner.map(Guise::of).transpose();
            let _guise = guise.map_err(|error| error.to_string())?;
            let made = builder.build().map_err(|error| root_cause(&error))?;
            Ok(made.pid().map(|pid| pid.as_raw()))
        })
        .map_err(LibcontainerError::Other)?;
        let spec = Spec::load(self.bundle.join(CONFIGURATION))?;
        guard::check(pid, &spec).map_err(LibcontainerError::OtherIO)?;
        streams::give(pid, user(&spec, mapped.as_ref(), ids))
            .map_err(LibcontainerError::OtherIO)?;
        joined
            .share_memory(pid)
            .map_err(|error| LibcontainerError::Other(format!("{SHM}: {error}")))?;
        network::raise_loopback(pid).map_err(LibcontainerError::OtherIO)?;
        let root = ids.and_then(|ids| ids.host_user(0));
        sysctl::set(pid, &self.settings.security.sysctls, root)
            .map_err(LibcontainerError::OtherIO)?;
        devices::restrict(&self.bundle, &self.cgroup).map_err(LibcontainerError::OtherIO)?;
        Ok(pid)
    }
}

/// Who runs the program, as the host counts: in a user namespace the configuration does not say.
fn user(spec: &Spec, mapped: Option<&User>, ids: Option<&IdMappings>) -> Owner {
    if let (Some(user), Some(ids)) = (mapped, ids) {
        return ids.owner_of(user.uid, user.gid);
    }
    let process = spec.process().as_ref();
    process.map_or(Owner { uid: 0, gid: 0 }, |process| Owner {
        uid: process.user().uid(),
        gid: process.user().gid(),
    })
}

/// The innermost error of a chain.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
