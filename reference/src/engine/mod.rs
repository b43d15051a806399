//! What the methods do: decides, and asks store, runtime and monitor. Knows nothing of varlink.

use std::{collections::BTreeMap, ops::ControlFlow, os::fd::BorrowedFd, path::PathBuf};

pub mod error;
pub mod supervise;

pub use error::EngineError;

/// Where the engine keeps things.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Images, containers and their records; survives a reboot.
    pub root: PathBuf,
    /// Mounts, pids and sockets; gone after a reboot.
    pub runroot: PathBuf,
}

/// What ends a long wait early: the caller's hang-up or the daemon's shutdown.
#[derive(Debug, Clone, Copy)]
pub struct Cancel<'a> {
    /// The caller's connection: POLLHUP or POLLERR means that nobody waits for the answer any more.
    pub peer: Option<BorrowedFd<'a>>,
    /// Readable once the daemon shuts down.
    pub shutdown: Option<BorrowedFd<'a>>,
}

/// What to create. `None` is "not given"; the engine states each default.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The image's name or id.
    pub image: String,
    /// The container's name; generated when not given.
    pub name: Option<String>,
    /// Replaces the image's CMD.
    pub command: Vec<String>,
    /// Replaces the image's ENTRYPOINT; `Some(vec![])` clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Added to the image's environment.
    pub env: BTreeMap<String, String>,
    /// The host name inside.
    pub hostname: Option<String>,
    /// The working directory, created if absent.
    pub work_dir: Option<String>,
    /// Added to the image's labels.
    pub labels: BTreeMap<String, String>,
    /// `none` or `host`.
    pub net_mode: Option<String>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<i64>,
    /// Seconds between the stop signal and SIGKILL.
    pub stop_timeout: Option<i64>,
    /// Names of fields that were given but cannot be honoured yet; the first is refused by name.
    pub unsupported: Vec<&'static str>,
}

/// A container as lists show it. Field meanings as in `ListContainerData` of SPEC.md.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ContainerSummary {
    pub id: String,
    pub image: String,
    pub image_id: String,
    pub command: Vec<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
    pub running_for: String,
    /// `configured`, `running`, `paused` or `exited`.
    pub status: String,
    pub rootfs_size: i64,
    pub rw_size: i64,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<MountSummary>,
    pub running: bool,
    pub namespaces: NamespaceSummary,
}

/// A mount of a container.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct MountSummary {
    pub destination: String,
    pub kind: String,
    pub source: String,
    pub options: Vec<String>,
}

/// The namespaces of a running container: inode numbers, as in /proc/PID/ns; empty when not running.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct NamespaceSummary {
    pub user: String,
    pub uts: String,
    pub pidns: String,
    pub pid: String,
    pub cgroup: String,
    pub net: String,
    pub mnt: String,
    pub ipc: String,
}

/// An image as lists show it.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ImageSummary {
    pub id: String,
    pub parent_id: String,
    pub repo_tags: Vec<String>,
    pub repo_digests: Vec<String>,
    /// RFC 3339, UTC.
    pub created: String,
    pub size: i64,
    pub virtual_size: i64,
    pub containers: i64,
    pub labels: BTreeMap<String, String>,
}

/// The host and the engine.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Info {
    pub mem_free: i64,
    pub mem_total: i64,
    pub swap_free: i64,
    pub swap_total: i64,
    pub arch: String,
    pub cpus: i64,
    pub hostname: String,
    pub kernel: String,
    pub os: String,
    pub uptime: String,
    pub containers: i64,
    pub images: i64,
    pub graph_driver_name: String,
    pub graph_driver_options: String,
    pub graph_root: String,
    pub backing_filesystem: String,
    pub native_overlay_diff: String,
    pub supports_d_type: String,
    pub run_root: String,
    pub registries: Vec<String>,
    pub insecure_registries: Vec<String>,
}

/// The engine. Every method may be called from many threads at once.
#[derive(Debug)]
pub struct Engine {}

/// What an engine method answers.
pub type Result<T> = std::result::Result<T, EngineError>;

#[allow(unused_variables, clippy::todo, missing_docs)]
impl Engine {
    /// Opens root and runroot, takes the lock that keeps a second engine out, and adopts what runs.
    pub fn open(config: EngineConfig) -> Result<Self> {
        Ok(Self {})
    }
    pub fn info(&self) -> Result<Info> {
        todo!()
    }
    /// Imports a tar on the server's disk; returns the image's id.
    pub fn import_image(
        &self,
        source: &str,
        reference: Option<&str>,
        message: Option<&str>,
        changes: &[String],
    ) -> Result<String> {
        todo!()
    }
    pub fn images(&self) -> Result<Vec<ImageSummary>> {
        todo!()
    }
    /// Takes a name away from an image, or removes it with its last name; `force` removes the containers that use it, too.
    pub fn remove_image(&self, name: &str, force: bool) -> Result<String> {
        todo!()
    }
    pub fn create_container(&self, request: CreateRequest) -> Result<String> {
        todo!()
    }
    pub fn start_container(&self, name: &str) -> Result<String> {
        todo!()
    }
    /// `timeout` in seconds; `None` takes the container's own.
    pub fn stop_container(
        &self,
        name: &str,
        timeout: Option<i64>,
        cancel: Cancel<'_>,
    ) -> Result<String> {
        todo!()
    }
    /// `None` and -1 are SIGTERM... see SPEC.md, KillContainer.
    pub fn kill_container(&self, name: &str, signal: Option<i64>) -> Result<String> {
        todo!()
    }
    /// Blocks until it has run and stopped; returns the exit code.
    pub fn wait_container(&self, name: &str, cancel: Cancel<'_>) -> Result<i64> {
        todo!()
    }
    pub fn remove_container(&self, name: &str, force: bool) -> Result<String> {
        todo!()
    }
    pub fn containers(&self) -> Result<Vec<ContainerSummary>> {
        todo!()
    }
    pub fn container(&self, name: &str) -> Result<ContainerSummary> {
        todo!()
    }
    /// Hands over the log in batches of lines; with `follow`, until the container has stopped and its last line was handed over.
    /// A batch is never empty. `sink` says when to stop.
    pub fn container_logs(
        &self,
        name: &str,
        follow: bool,
        cancel: Cancel<'_>,
        sink: &mut dyn FnMut(Vec<String>) -> ControlFlow<()>,
    ) -> Result<()> {
        todo!()
    }
}
