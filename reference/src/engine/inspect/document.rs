//! What InspectContainer tells of a container, under the names that such documents have.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    engine::{MountSummary, NamespaceSummary},
    settings::Settings,
};

/// A container in full. Field meanings as in section 8 of SPEC.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct ContainerInspection {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    /// The program.
    pub path: String,
    /// What follows it.
    pub args: Vec<String>,
    pub state: InspectedState,
    /// The image's id.
    pub image: String,
    pub image_name: String,
    pub config: InspectedConfig,
    pub host_config: InspectedHostConfig,
    /// These three are files of the host while the container runs, else empty.
    pub hostname_path: String,
    pub hosts_path: String,
    pub resolv_conf_path: String,
    pub log_path: String,
    /// The directory of its record, its log and what it wrote.
    pub static_dir: String,
    /// How often the engine started it again by itself: never.
    pub restart_count: u32,
    /// The storage driver.
    pub driver: String,
    pub graph_driver: GraphDriver,
    /// Bytes.
    pub size_rw: i64,
    /// Bytes.
    pub size_root_fs: i64,
    pub mounts: Vec<MountSummary>,
    pub namespaces: NamespaceSummary,
    pub network_settings: NetworkSettings,
    /// Nothing but a container's first process is started by the engine.
    #[serde(rename = "ExecIDs")]
    pub exec_ids: Vec<String>,
    /// The ids of the containers whose namespaces it uses.
    pub dependencies: Vec<String>,
}

/// How a container stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct InspectedState {
    /// The version of the OCI runtime specification.
    pub oci_version: String,
    /// `configured`, `running`, `paused` or `exited`.
    pub status: String,
    pub running: bool,
    pub paused: bool,
    /// Whether the kernel killed one of its processes for want of memory, in this run or the last.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// 0 if it has no process.
    pub pid: i32,
    /// Of the last run; 0 while there is none that has ended.
    pub exit_code: i32,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub finished_at: String,
}

/// What runs in it, with the image's defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct InspectedConfig {
    pub hostname: String,
    pub user: String,
    pub tty: bool,
    pub open_stdin: bool,
    /// `NAME=value`.
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub cmd: Vec<String>,
    pub working_dir: String,
    pub labels: BTreeMap<String, String>,
    /// `PORT/PROTOCOL`, the image's among them.
    pub exposed_ports: BTreeMap<String, Nothing>,
    pub stop_signal: i32,
    /// Seconds.
    pub stop_timeout: u32,
}

/// An object without members, where a key says all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Nothing {}

/// How it is tied to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct InspectedHostConfig {
    pub network_mode: String,
    /// Empty for a namespace of its own.
    pub ipc_mode: String,
    /// Empty for a namespace of its own.
    pub pid_mode: String,
    /// Empty for a namespace of its own.
    #[serde(rename = "UTSMode")]
    pub uts_mode: String,
    /// Empty for the host's.
    pub userns_mode: String,
    /// What else was asked for and is honoured, as the engine keeps it.
    pub settings: Settings,
}

/// Where its root filesystem is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct GraphDriver {
    pub name: String,
    pub data: GraphDriverData,
}

/// The parts of an overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct GraphDriverData {
    /// The image's layers, uppermost first, with `:` between them.
    pub lower_dir: String,
    pub upper_dir: String,
    pub work_dir: String,
    /// Where it is mounted while the container runs.
    pub merged_dir: String,
}

/// Its addresses; empty where it has no network of its own or does not run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct NetworkSettings {
    #[serde(rename = "IPAddress")]
    pub ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    pub ip_prefix_len: u8,
    pub gateway: String,
    pub mac_address: String,
    pub ports: Vec<String>,
}
