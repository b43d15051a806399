//! Limits, as the kernel takes them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Limits, as the kernel takes them; the names are those of CreateResourceConfig. What is `None` or empty keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// The cgroup above the container's own, from the root of each hierarchy.
    pub cgroup_parent: Option<PathBuf>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Bytes.
    pub memory_reservation: Option<u64>,
    /// Memory and swap together.
    pub memory_swap: Option<Amount>,
    /// 1 to 100.
    pub memory_swappiness: Option<u64>,
    /// Bytes.
    pub kernel_memory: Option<u64>,
    /// Whether processes at the limit of memory wait instead of being killed.
    pub disable_oomkiller: bool,
    /// 2 to 262144, the scale of version 1.
    pub cpu_shares: Option<u64>,
    /// Microseconds.
    pub cpu_period: Option<u64>,
    /// Microseconds in a period.
    pub cpu_quota: Option<Amount>,
    /// Microseconds.
    pub cpu_rt_period: Option<u64>,
    /// Microseconds in such a period.
    pub cpu_rt_runtime: Option<u64>,
    /// Processors, such as `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// Memory nodes.
    pub cpuset_mems: Option<String>,
    /// 10 to 1000, the scale of version 1.
    pub blkio_weight: Option<u64>,
    /// The same for single devices.
    pub blkio_weight_device: Vec<DeviceFigure>,
    /// Bytes in a second.
    pub device_read_bps: Vec<DeviceFigure>,
    /// Bytes in a second.
    pub device_write_bps: Vec<DeviceFigure>,
    /// Operations in a second.
    pub device_read_iops: Vec<DeviceFigure>,
    /// Operations in a second.
    pub device_write_iops: Vec<DeviceFigure>,
    /// Processes and threads.
    pub pids_limit: Option<u64>,
    /// -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// Bytes of /dev/shm.
    pub shm_size: Option<u64>,
    /// The limits of single processes.
    pub ulimit: Vec<Ulimit>,
}

/// A figure, or explicitly none, which is above every figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// So much.
    Of(u64),
    /// No limit.
    Unlimited,
}

/// A figure for one block device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceFigure {
    /// As it was named.
    pub path: String,
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// The figure.
    pub figure: u64,
}

/// A limit of a single process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// Its short name, such as `nofile`.
    pub name: String,
    /// In force now.
    pub soft: Amount,
    /// The process may raise its own up to here.
    pub hard: Amount,
}
