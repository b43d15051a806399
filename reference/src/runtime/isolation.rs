//! What every container is kept from: capabilities, paths, devices.

use std::collections::HashSet;

use oci_spec::{
    OciSpecError,
    runtime::{
        Capability, LinuxCapabilities, LinuxCapabilitiesBuilder, LinuxDeviceCgroup,
        LinuxDeviceCgroupBuilder, LinuxDeviceType,
    },
};

/// What a root process in a container may do by default: the set that Docker and Podman of 2018 give.
const CAPABILITIES: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

/// Hidden: they tell of the host, or act on it.
const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];

/// Readable and not writable: they act on the host.
const READ_ONLY: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The capabilities. Inheritable and ambient stay empty: with them, a program of an ordinary user would gain privileges.
pub(super) fn capabilities(uid: u32) -> Result<LinuxCapabilities, OciSpecError> {
    let bounding = HashSet::from(CAPABILITIES);
    // The kernel clears these two when root becomes another user; stating it keeps the OCI configuration true.
    let active = if uid == 0 {
        bounding.clone()
    } else {
        HashSet::new()
    };
    LinuxCapabilitiesBuilder::default()
        .bounding(bounding)
        .effective(active.clone())
        .permitted(active)
        .inheritable(HashSet::new())
        .ambient(HashSet::new())
        .build()
}

/// Paths that are hidden.
pub(super) fn masked_paths() -> Vec<String> {
    MASKED.map(str::to_owned).into()
}

/// Paths that are read-only.
pub(super) fn read_only_paths() -> Vec<String> {
    READ_ONLY.map(str::to_owned).into()
}

/// No device but what the runtime then allows: the standard nodes, and making nodes without opening them.
pub(super) fn devices() -> Result<Vec<LinuxDeviceCgroup>, OciSpecError> {
    let nothing = LinuxDeviceCgroupBuilder::default()
        .allow(false)
        .typ(LinuxDeviceType::A)
        .access("rwm");
    Ok(vec![nothing.build()?])
}
