//! What every container is kept from: capabilities and paths.

use std::{collections::HashSet, str::FromStr};

use oci_spec::{
    OciSpecError,
    runtime::{Capability, LinuxCapabilities, LinuxCapabilitiesBuilder},
};

use crate::{
    settings::{Capabilities, Security},
    sys::capabilities::{CapabilitySet, named},
};

/// What a root process in a container may do by default: the set that Docker and Podman of 2018 give.
const CAPABILITIES: CapabilitySet = CapabilitySet::AUDIT_WRITE
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT);

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

/// The bounding set. What was added by name is in it even if this process lacks it by now: then the start fails.
pub(super) fn bounding(security: &Security, held: CapabilitySet) -> CapabilitySet {
    let Capabilities { add, drop } = &security.capabilities;
    let all = |list: &[String]| list.iter().any(|name| name == Capabilities::ALL);
    let single = |list: &[String]| list.iter().filter_map(|name| named(name)).collect();
    let ground = if all(drop) {
        CapabilitySet::empty()
    } else if all(add) || security.privileged {
        held
    } else {
        CAPABILITIES & held
    };
    let (added, dropped): (CapabilitySet, CapabilitySet) = (single(add), single(drop));
    (ground | added) - dropped
}

/// The capabilities. Inheritable and ambient stay empty: with them, a program of an ordinary user would gain privileges.
pub(super) fn capabilities(
    bounding: CapabilitySet,
    uid: u32,
) -> Result<LinuxCapabilities, OciSpecError> {
    let known = bounding.iter_names().map(|(name, _)| {
        Capability::from_str(name).map_err(|error| OciSpecError::Other(error.to_string()))
    });
    let bounding = known.collect::<Result<HashSet<_>, _>>()?;
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
pub(super) fn masked_paths(security: &Security) -> Vec<String> {
    unless_privileged(security, &MASKED)
}

/// Paths that are read-only.
pub(super) fn read_only_paths(security: &Security) -> Vec<String> {
    unless_privileged(security, &READ_ONLY)
}

fn unless_privileged(security: &Security, paths: &[&str]) -> Vec<String> {
    let paths = if security.privileged { &[] } else { paths };
    paths.iter().map(|&path| path.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// As if the engine lacked one of the default ones.
    const HELD: CapabilitySet = CAPABILITIES
        .difference(CapabilitySet::NET_RAW)
        .union(CapabilitySet::SYS_ADMIN);

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[rstest]
    #[case::default(false, &[], &[], CAPABILITIES - CapabilitySet::NET_RAW)]
    #[case::added(false, &["CAP_SYS_ADMIN"], &[], HELD)]
    #[case::added_and_lacking(false, &["CAP_BPF"], &["ALL"], CapabilitySet::BPF)]
    #[case::dropped(false, &[], &["CAP_CHOWN"], (CAPABILITIES & HELD) - CapabilitySet::CHOWN)]
    #[case::all(false, &["ALL"], &["CAP_CHOWN"], HELD - CapabilitySet::CHOWN)]
    #[case::privileged(true, &[], &[], HELD)]
    #[case::privileged_but(true, &[], &["CAP_CHOWN"], HELD - CapabilitySet::CHOWN)]
    fn single_names_are_exceptions_from_the_ground(
        #[case] privileged: bool,
        #[case] add: &[&str],
        #[case] drop: &[&str],
        #[case] expected: CapabilitySet,
    ) {
        let security = Security {
            privileged,
            capabilities: Capabilities {
                add: words(add),
                drop: words(drop),
            },
            ..Security::default()
        };
        assert_eq!(bounding(&security, HELD), expected);
    }

    #[test]
    fn the_runtime_knows_every_capability_of_the_kernel() {
        let all = CapabilitySet::all();
        let known = capabilities(all, 0).unwrap().bounding().clone().unwrap();
        assert_eq!(known.len(), all.iter_names().count());
    }
}
