//! What the engine tells of containers, images and the host.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

/// A container as lists show it. Field meanings as in `ListContainerData` of SPEC.md.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    pub mounts: Arc<[MountSummary]>,
    pub running: bool,
    pub namespaces: NamespaceSummary,
}

/// What a container uses. Field meanings as in `ContainerStats` of SPEC.md.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs)]
pub struct ContainerStats {
    pub id: String,
    pub name: String,
    /// In per cent of one processor.
    pub cpu: f64,
    pub cpu_nano: i64,
    pub system_nano: i64,
    pub memory: i64,
    pub memory_limit: i64,
    /// In per cent.
    pub memory_share: f64,
    pub received: i64,
    pub sent: i64,
    pub block_read: i64,
    pub block_written: i64,
    pub pids: i64,
}

/// A mount of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct MountSummary {
    pub destination: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub source: String,
    pub options: Vec<String>,
}

/// The namespaces of a running container: inode numbers, as in /proc/PID/ns; empty when not running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
