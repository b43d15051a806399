//! InspectContainer: all that is known of a container, put together.

pub mod document;

use std::path::{Path, PathBuf};

use document::{
    ContainerInspection, GraphDriver, GraphDriverData, InspectedConfig, InspectedHostConfig,
    InspectedState, NetworkSettings, Nothing,
};

use super::{
    ContainerSummary, MountSummary,
    clock::Time,
    container::Container,
    list::{self, Freshness, Standing},
    ports,
};
use crate::{
    runtime,
    settings::{Namespace, Namespaces},
    sys::cgroup,
};

/// A time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The name of the storage driver, and the only one.
const OVERLAY: &str = "overlay";

pub(super) fn inspect(container: &Container) -> ContainerInspection {
    let standing = Standing::of(container);
    let state = state(container, &standing);
    let summary = list::summary_of(container, standing, Freshness::Measured);
    document(container, summary, state)
}

fn document(
    container: &Container,
    summary: ContainerSummary,
    state: InspectedState,
) -> ContainerInspection {
    let (path, args) = match summary.command.split_first() {
        Some((path, args)) => (path.clone(), args.to_vec()),
        None => Default::default(),
    };
    let file = |destination| engine_file(&summary.mounts, destination);
    ContainerInspection {
        name: summary.name,
        created: summary.created_at,
        path,
        args,
        state,
        image: summary.image_id,
        image_name: summary.image,
        config: config(container),
        host_config: host_config(container),
        hostname_path: file("/etc/hostname"),
        hosts_path: file("/etc/hosts"),
        resolv_conf_path: file("/etc/resolv.conf"),
        log_path: text(&container.dir.log()),
        static_dir: text(container.dir.keep()),
        restart_count: 0,
        driver: OVERLAY.into(),
        graph_driver: graph_driver(container),
        size_rw: summary.rw_size,
        size_root_fs: summary.rootfs_size,
        mounts: summary.mounts.to_vec(),
        namespaces: summary.namespaces,
        // No net_mode that there is gives it an address of its own.
        network_settings: NetworkSettings::default(),
        exec_ids: Vec::new(),
        dependencies: container
            .dependencies()
            .into_iter()
            .map(Into::into)
            .collect(),
        id: summary.id,
    }
}

fn state(container: &Container, standing: &Standing) -> InspectedState {
    let time = |time: Option<Time>| time.map_or_else(|| NEVER.into(), |time| time.to_string());
    let (running, last) = (&standing.running, &standing.last);
    // While it runs nobody has recorded it yet; the kernel counts.
    let oom_killed = match running {
        Some(_) => cgroup::oom_killed(&container.cgroup()),
        None => last.is_some_and(|last| last.oom_killed),
    };
    let started = match running {
        Some(run) => Some(run.init.started_at.into()),
        None => last.and_then(|last| last.started_at),
    };
    InspectedState {
        oci_version: runtime::OCI_VERSION.into(),
        status: standing.status.into(),
        running: standing.status == "running",
        paused: standing.status == "paused",
        oom_killed,
        pid: running.as_ref().map_or(0, |run| run.init.process.pid.get()),
        exit_code: match (running, last) {
            (None, Some(last)) => last.code,
            _ => 0,
        },
        started_at: time(started),
        finished_at: time(last.and_then(|last| last.finished_at)),
    }
}

/// What runs. A further setting of the kind has its line here.
fn config(container: &Container) -> InspectedConfig {
    let record = &container.record;
    let process = &record.process;
    let words = &process.arguments;
    let (entrypoint, cmd) = words
        .split_at_checked(process.entrypoint_length)
        .unwrap_or((&[], words));
    let exposed = ports::each(&record.settings.network.exposed_ports);
    InspectedConfig {
        hostname: record.hostname.clone(),
        user: process.user.clone(),
        tty: record.settings.stdio.terminal,
        open_stdin: record.settings.stdio.interactive,
        env: process.environment.clone(),
        entrypoint: entrypoint.to_vec(),
        cmd: cmd.to_vec(),
        working_dir: process.working_directory.clone(),
        labels: record.labels.clone(),
        exposed_ports: exposed.into_iter().map(|port| (port, Nothing {})).collect(),
        stop_signal: record.stop_signal,
        stop_timeout: record.stop_timeout,
    }
}

/// How it is tied to the host. Whatever is in the record's settings is told by itself; what such documents have under a name
/// of its own has a line here, too.
fn host_config(container: &Container) -> InspectedHostConfig {
    let mode = |whose: &Namespace| match whose {
        Namespace::Private => String::new(),
        Namespace::Host => "host".to_owned(),
        Namespace::Container(id) => format!("container:{id}"),
    };
    let Namespaces { ipc, pid, uts, ids } = &container.record.settings.namespaces;
    InspectedHostConfig {
        network_mode: container.record.net_mode.clone(),
        ipc_mode: mode(ipc),
        pid_mode: mode(pid),
        uts_mode: mode(uts),
        userns_mode: ids
            .as_ref()
            .map_or_else(String::new, |_| "private".to_owned()),
        settings: container.record.settings.clone(),
    }
}

fn graph_driver(container: &Container) -> GraphDriver {
    let lower: Vec<String> = container.lower.iter().map(|path| text(path)).collect();
    GraphDriver {
        name: OVERLAY.into(),
        data: GraphDriverData {
            lower_dir: lower.join(":"),
            upper_dir: text(&container.upper),
            work_dir: text(&container.work),
            merged_dir: text(&container.mount_point),
        },
    }
}

/// The file that the container sees at `destination`; empty if it is not there, as before the first start.
fn engine_file(mounts: &[MountSummary], destination: &str) -> String {
    let mut mounts = mounts.iter().rev();
    let mount = mounts.find(|mount| mount.destination == destination);
    let source = mount.map(|mount| PathBuf::from(&mount.source));
    let there = source.filter(|path| path.is_absolute() && path.exists());
    there.map(|path| text(&path)).unwrap_or_default()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
