//! StartContainer.

use std::{path::Path, sync::Arc};

use super::{
    Engine, EngineError, NamespaceSummary, Result,
    container::Container,
    remove::sweep,
    state::{Motion, Phase, Running},
    supervise, user,
};
use crate::{
    monitor::Init,
    runtime::{ContainerSetup, Join, Network},
    settings::Namespace,
    sys::{
        kill_point::{self, Point},
        tree::Tree,
    },
};

/// Lists of users are read up to this size; real ones have some kilobytes.
const LARGEST_USER_LIST: u64 = 4 << 20;

impl Engine {
    pub(super) fn start(&self, container: &Arc<Container>) -> Result<()> {
        claim(container)?;
        let busy = container.busy();
        kill_point::reached(Point::StartClaimed);
        match self.launch(container) {
            Ok(init) => {
                let running = Running {
                    namespaces: namespaces(&init),
                    init,
                    motion: Motion::Free,
                };
                busy.done(Phase::Running(Box::new(running)));
                kill_point::reached(Point::StartNoted);
                self.watcher.watch(container);
                kill_point::reached(Point::StartWatched);
                Ok(())
            }
            Err(error) => {
                sweep(container);
                container.note_records();
                Err(error)
            }
        }
    }

    fn launch(&self, container: &Container) -> Result<Init> {
        let id = container.id();
        let joins = self.joins(container)?;
        // What is left of a run whose monitor was killed.
        supervise::clear(&container.dir, &id)?;
        kill_point::reached(Point::StartCleared);
        container.dir.create()?;
        self.store.copy_container(&container.record)?;
        kill_point::reached(Point::StartDirectories);
        container
            .mount()
            .map_err(EngineError::failed("cannot mount the root filesystem"))?;
        kill_point::reached(Point::StartMounted);
        let setup = setup(container, joins, self.network(container)?)?;
        Ok(supervise::start(&self.launcher, &container.dir, &setup)?)
    }
}

/// One call at a time starts a container.
fn claim(container: &Container) -> Result<()> {
    let mut state = container.state();
    let refused = |why: &str| EngineError::Refused(format!("container {} {why}", container.id()));
    match state.phase {
        Phase::Idle => {
            state.phase = Phase::Starting;
            Ok(())
        }
        Phase::Starting => Err(refused("is being started already")),
        Phase::Running(_) => Err(refused(&format!("is {} already", state.status()))),
        Phase::Removing | Phase::Removed => Err(refused("is being removed")),
    }
}

fn setup(container: &Container, joins: Vec<Join>, network: Network) -> Result<ContainerSetup> {
    let record = &container.record;
    let process = &record.process;
    let rootfs = Tree::open(&container.mount_point)
        .map_err(EngineError::failed("cannot open the root filesystem"))?;
    let passwd = list(&rootfs, "/etc/passwd")?;
    let group = list(&rootfs, "/etc/group")?;
    let mut resolved = user::resolve(&process.user, &passwd, &group)
        .map_err(|why| EngineError::Refused(format!("user: {why}")))?;
    let added = &record.settings.security.groups;
    user::add_groups(&mut resolved.user, added, &group)
        .map_err(|why| EngineError::Refused(format!("group_add: {why}")))?;
    if let Some(ids) = &record.settings.namespaces.ids {
        user::check_mapped(&resolved.user, ids).map_err(EngineError::Refused)?;
    }
    let mut env = process.environment.clone();
    if !env.iter().any(|entry| entry.starts_with("HOME=")) {
        env.push(format!("HOME={}", resolved.home));
    }
    Ok(ContainerSetup {
        id: container.id(),
        argv: process.arguments.clone(),
        env,
        cwd: process.working_directory.clone(),
        hostname: match record.settings.namespaces.uts {
            // It may have changed since.
            Namespace::Host => super::info::hostname(),
            _ => record.hostname.clone(),
        },
        rootfs: container.mount_point.clone(),
        files: container.dir.run().to_owned(),
        volumes: container.volumes.clone(),
        user: resolved.user,
        network,
        labels: record.labels.clone(),
        settings: record.settings.clone(),
        joins,
    })
}

/// A list of users or groups of the container; an absent one is empty.
fn list(rootfs: &Tree, path: &str) -> Result<String> {
    let content = rootfs
        .read(Path::new(path), LARGEST_USER_LIST)
        .map_err(|error| EngineError::Refused(format!("the container's {path}: {error}")))?
        .unwrap_or_default();
    Ok(String::from_utf8_lossy(&content).into_owned())
}

/// The namespaces of a process: they do not change while it lives.
pub(super) fn namespaces(init: &Init) -> NamespaceSummary {
    let pid = init.process.pid;
    let number = |name: &str| {
        let link = std::fs::read_link(format!("/proc/{pid}/ns/{name}")).unwrap_or_default();
        let text = link.to_string_lossy();
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    NamespaceSummary {
        user: number("user"),
        uts: number("uts"),
        pidns: number("pid"),
        pid: pid.to_string(),
        cgroup: number("cgroup"),
        net: number("net"),
        mnt: number("mnt"),
        ipc: number("ipc"),
    }
}
