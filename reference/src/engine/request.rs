//! What a caller asks for.

use std::collections::BTreeMap;

/// What to create. `None`, false and emptiness are "not given"; the engine states each default.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The image's name or id.
    pub image: String,
    /// The image's id, beside its name or in its place.
    pub image_id: Option<String>,
    /// The container's name; generated when not given.
    pub name: Option<String>,
    /// Always refused: there are no pods.
    pub pod: Option<String>,
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
    /// The signal that asks it to stop.
    pub stop_signal: Option<i64>,
    /// Seconds between the stop signal and SIGKILL.
    pub stop_timeout: Option<i64>,
    /// Who the processes are and what they may do.
    pub security: SecurityRequest,
    /// Limits; the names are those of CreateResourceConfig, and cgroup_parent.
    pub resources: ResourcesRequest,
    /// Which namespaces it has of its own, and its ids.
    pub namespaces: NamespacesRequest,
    /// Its network, and the names that it knows.
    pub network: NetworkRequest,
    /// What is mounted in it.
    pub mounts: MountsRequest,
    /// Its standard streams and their log.
    pub stdio: StdioRequest,
    /// What happens at its start and end.
    pub lifecycle: LifecycleRequest,
}

/// Who the processes are and what they may do.
#[derive(Debug, Clone, Default)]
pub struct SecurityRequest {
    /// `USER[:GROUP]`; the image's when not given.
    pub user: Option<String>,
    /// Further groups, by name or number.
    pub group_add: Vec<String>,
    /// Capabilities beyond the default ones, or `ALL`.
    pub cap_add: Vec<String>,
    /// Capabilities taken away, or `ALL`.
    pub cap_drop: Vec<String>,
    /// Every capability and device, nothing masked, no filter.
    pub privileged: bool,
    /// No gain of privileges by execve.
    pub no_new_privs: bool,
    /// `HOST[:CONTAINER[:PERMISSIONS]]`.
    pub devices: Vec<String>,
    /// The root filesystem cannot be written.
    pub readonly_rootfs: bool,
    /// Kernel parameters of its namespaces.
    pub sys_ctl: BTreeMap<String, String>,
    /// A profile in the place of the default one, or `unconfined`.
    pub seccomp_profile_path: Option<String>,
    /// The same things as words, such as `no-new-privileges`.
    pub security_opts: Vec<String>,
    /// An AppArmor profile.
    pub apparmor_profile: Option<String>,
    /// The SELinux label of its files.
    pub mount_label: Option<String>,
    /// The SELinux label of its processes.
    pub process_label: Option<String>,
}

/// Limits; the names are those of CreateResourceConfig, and cgroup_parent.
#[derive(Debug, Clone, Default)]
pub struct ResourcesRequest {
    /// The cgroup above its own.
    pub cgroup_parent: Option<String>,
    /// 10 to 1000.
    pub blkio_weight: Option<i64>,
    /// `DEVICE:WEIGHT`.
    pub blkio_weight_device: Vec<String>,
    /// Microseconds.
    pub cpu_period: Option<i64>,
    /// Microseconds; -1 is no limit.
    pub cpu_quota: Option<i64>,
    /// Microseconds.
    pub cpu_rt_period: Option<i64>,
    /// Microseconds.
    pub cpu_rt_runtime: Option<i64>,
    /// 2 to 262144.
    pub cpu_shares: Option<i64>,
    /// Processors' worth of time.
    pub cpus: Option<f64>,
    /// Such as `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// Such as `0-2,4`.
    pub cpuset_mems: Option<String>,
    /// `DEVICE:RATE`.
    pub device_read_bps: Vec<String>,
    /// `DEVICE:NUMBER`.
    pub device_read_iops: Vec<String>,
    /// `DEVICE:RATE`.
    pub device_write_bps: Vec<String>,
    /// `DEVICE:NUMBER`.
    pub device_write_iops: Vec<String>,
    /// Processes at the limit wait.
    pub disable_oomkiller: bool,
    /// Bytes.
    pub kernel_memory: Option<i64>,
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes.
    pub memory_reservation: Option<i64>,
    /// Bytes, with memory; -1 is no limit.
    pub memory_swap: Option<i64>,
    /// 1 to 100.
    pub memory_swappiness: Option<i64>,
    /// -1000 to 1000.
    pub oom_score_adj: Option<i64>,
    /// Processes and threads; -1 is no limit.
    pub pids_limit: Option<i64>,
    /// Bytes of /dev/shm.
    pub shm_size: Option<i64>,
    /// `NAME=SOFT[:HARD]`.
    pub ulimit: Vec<String>,
}

/// Which namespaces it has of its own, and its ids.
#[derive(Debug, Clone, Default)]
pub struct NamespacesRequest {
    /// `private`, `host` or `container:NAME`.
    pub ipc_mode: Option<String>,
    /// `private`, `host` or `container:NAME`.
    pub pid_mode: Option<String>,
    /// `private` or `host`.
    pub uts_mode: Option<String>,
    /// `private` or `host`.
    pub userns_mode: Option<String>,
    /// `CONTAINER:HOST:SIZE`.
    pub uidmap: Vec<String>,
    /// `CONTAINER:HOST:SIZE`.
    pub gidmap: Vec<String>,
    /// The same as a struct.
    pub id_mappings: IdMappingsRequest,
    /// As uidmap, in one text.
    pub subuidmap: Option<String>,
    /// As gidmap, in one text.
    pub subgidmap: Option<String>,
    /// Whose ranges in /etc/subuid are mapped.
    pub subuidname: Option<String>,
    /// Whose ranges in /etc/subgid are mapped.
    pub subgidname: Option<String>,
}

/// Its network, and the names that it knows.
#[derive(Debug, Clone, Default)]
pub struct NetworkRequest {
    /// `none`, `host`, `bridge` or `container:NAME`.
    pub net_mode: Option<String>,
    /// The network of a bridged container.
    pub network: Option<String>,
    /// `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`.
    pub publish: Vec<String>,
    /// Every exposed port is published.
    pub publish_all: bool,
    /// `PORT[/PROTOCOL]` or `FIRST-LAST[/PROTOCOL]`.
    pub exposed_ports: Vec<String>,
    /// Name servers, in the place of the host's.
    pub dns_servers: Vec<String>,
    /// Search domains, in the place of the host's.
    pub dns_search: Vec<String>,
    /// Resolver options, in the place of the host's.
    pub dns_opt: Vec<String>,
    /// `NAME:IP` for /etc/hosts.
    pub host_add: Vec<String>,
}

/// What is mounted in it.
#[derive(Debug, Clone, Default)]
pub struct MountsRequest {
    /// `[SOURCE:]DESTINATION[:OPTIONS]`.
    pub volumes: Vec<String>,
    /// `PATH[:OPTIONS]`.
    pub tmpfs: Vec<String>,
    /// `bind`, `tmpfs` or `ignore`.
    pub image_volume_type: Option<String>,
    /// Paths treated like the image's VOLUME entries.
    pub builtin_imgvolumes: Vec<String>,
    /// Always refused: it names a directory of the host.
    pub shm_dir: Option<String>,
}

/// Its standard streams and their log.
#[derive(Debug, Clone, Default)]
pub struct StdioRequest {
    /// The streams are a terminal.
    pub tty: bool,
    /// Standard input stays open.
    pub interactive: bool,
    /// `k8s-file`, `json-file` or `none`.
    pub log_driver: Option<String>,
    /// `NAME=VALUE`.
    pub log_driver_opt: Vec<String>,
}

/// What happens at its start and end.
#[derive(Debug, Clone, Default)]
pub struct LifecycleRequest {
    /// It is removed once it has stopped.
    pub rm: bool,
    /// Where the pid of its monitor is written.
    pub conmon_pidfile: Option<String>,
}

/// One range of ids each for users and groups.
#[derive(Debug, Clone, Default)]
pub struct IdMappingsRequest {
    /// User ids are the host's.
    pub host_uid_mapping: bool,
    /// Group ids are the host's.
    pub host_gid_mapping: bool,
    /// User ids.
    pub uid_map: Option<IdMapRequest>,
    /// Group ids.
    pub gid_map: Option<IdMapRequest>,
}

/// A range of ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IdMapRequest {
    /// The first one inside.
    pub container_id: i64,
    /// The first one on the host.
    pub host_id: i64,
    /// How many.
    pub size: i64,
}
