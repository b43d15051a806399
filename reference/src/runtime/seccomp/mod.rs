//! The seccomp filter of a container: an allow-list, unless another was asked for.
//!
//! `default.json` names what an ordinary program needs. Left out is what acts on the host or on the kernel as a whole (modules,
//! kexec, reboot, clocks, swap, quotas, accounting, the kernel log), what makes or enters namespaces and mounts, keyrings, BPF,
//! performance events, userfaultfd, io_uring, file handles, memory placement, AF_ALG and AF_VSOCK sockets, and calls long gone.
//! `clone3` gets ENOSYS, not EPERM, so that C libraries fall back to `clone`, whose flags a filter can see. What a capability is
//! for is let through where that capability was added.

mod machine;
mod profile;

use std::{borrow::Cow, sync::OnceLock};

use oci_spec::{OciSpecError, runtime::LinuxSeccomp};

pub use profile::Profile;

use crate::{
    settings::{Seccomp, Security},
    sys::capabilities::CapabilitySet,
};

const DEFAULT: &str = include_str!("default.json");

/// The filter of a container with this bounding set; `None` if it has none.
pub(super) fn filter(
    security: &Security,
    bounding: CapabilitySet,
) -> Result<Option<LinuxSeccomp>, OciSpecError> {
    let profile = match &security.seccomp {
        Seccomp::Unconfined => return Ok(None),
        Seccomp::Default if security.privileged => return Ok(None),
        Seccomp::Default => preset().map(Cow::Borrowed),
        Seccomp::Profile(text) => Profile::read(text).map(Cow::Owned),
    };
    let filter = profile.and_then(|profile| profile.resolve(bounding));
    filter.map(Some).map_err(OciSpecError::Other)
}

/// Read once: it is long, and every start needs it.
fn preset() -> Result<&'static Profile, String> {
    static READ: OnceLock<Profile> = OnceLock::new();
    if let Some(profile) = READ.get() {
        return Ok(profile);
    }
    let profile = Profile::read(DEFAULT)?;
    Ok(READ.get_or_init(|| profile))
}

/// The filter of a container for which nothing was asked.
#[cfg(test)]
pub(super) fn default_profile() -> Result<LinuxSeccomp, String> {
    preset()?.resolve(CapabilitySet::CHOWN)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oci_spec::runtime::LinuxSeccompAction;
    use rstest::rstest;

    use super::*;

    /// The calls that are allowed whatever their arguments.
    fn free(filter: &LinuxSeccomp) -> HashSet<String> {
        let rules = filter.syscalls().iter().flatten();
        rules
            .filter(|rule| rule.action() == LinuxSeccompAction::ScmpActAllow)
            .filter(|rule| rule.args().is_none())
            .flat_map(|rule| rule.names().clone())
            .collect()
    }

    fn default_for(bounding: CapabilitySet) -> LinuxSeccomp {
        filter(&Security::default(), bounding).unwrap().unwrap()
    }

    #[test]
    fn what_acts_on_the_host_is_not_allowed() {
        let profile = default_for(CapabilitySet::CHOWN);
        assert_eq!(profile.default_action(), LinuxSeccompAction::ScmpActErrno);
        let free = free(&profile);
        for name in [
            "add_key",
            "bpf",
            "clone",
            "clone3",
            "init_module",
            "kexec_load",
            "keyctl",
            "mount",
            "open_by_handle_at",
            "perf_event_open",
            "pivot_root",
            "reboot",
            "setns",
            "settimeofday",
            "socket",
            "swapon",
            "umount2",
            "unshare",
            "userfaultfd",
        ] {
            assert!(!free.contains(name), "{name}");
        }
        for name in ["execve", "futex", "mmap", "openat", "read", "rseq", "write"] {
            assert!(free.contains(name), "{name}");
        }
    }

    #[rstest]
    #[case(CapabilitySet::SYS_ADMIN, &["mount", "unshare", "setns", "clone", "clone3"])]
    #[case(CapabilitySet::SYS_BOOT, &["reboot"])]
    #[case(CapabilitySet::SYS_TIME, &["clock_settime", "settimeofday"])]
    #[case(CapabilitySet::SYS_MODULE, &["init_module", "delete_module"])]
    #[case(CapabilitySet::BPF, &["bpf"])]
    fn what_an_added_capability_is_for_is_allowed(
        #[case] added: CapabilitySet,
        #[case] names: &[&str],
    ) {
        let without = free(&default_for(CapabilitySet::all() - added));
        let with = free(&default_for(added));
        for &name in names {
            assert!(with.contains(name), "{name}");
        }
        assert!(!without.contains(names[0]) || added == CapabilitySet::BPF);
        assert!(!with.contains("keyctl") && !with.contains("kexec_load"));
        // A call that is both allowed and answered with an error would be the latter.
        let rules = default_for(added);
        let denied = rules
            .syscalls()
            .iter()
            .flatten()
            .filter(|rule| rule.action() == LinuxSeccompAction::ScmpActErrno);
        assert!(
            denied
                .flat_map(|rule| rule.names())
                .all(|name| !with.contains(name))
        );
    }
}
