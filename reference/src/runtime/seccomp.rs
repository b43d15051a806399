//! The default seccomp profile: an allow-list.
//!
//! `seccomp.json` names what an ordinary program needs. Left out is what acts on the host or on the kernel as a whole (modules,
//! kexec, reboot, clocks, swap, quotas, accounting, the kernel log), what makes or enters namespaces and mounts, keyrings, BPF,
//! performance events, userfaultfd, io_uring, file handles, memory placement, AF_ALG and AF_VSOCK sockets, and calls long gone.
//! `clone3` gets ENOSYS, not EPERM, so that C libraries fall back to `clone`, whose flags a filter can see.

use std::sync::OnceLock;

use oci_spec::{
    OciSpecError,
    runtime::{Arch, LinuxSeccomp},
};

const PROFILE: &str = include_str!("seccomp.json");

/// The profile for this machine, its 32-bit programs included.
pub(super) fn default_profile() -> Result<LinuxSeccomp, OciSpecError> {
    static READ: OnceLock<LinuxSeccomp> = OnceLock::new();
    if let Some(profile) = READ.get() {
        return Ok(profile.clone());
    }
    let profile = read()?;
    Ok(READ.get_or_init(|| profile).clone())
}

fn read() -> Result<LinuxSeccomp, OciSpecError> {
    let mut profile: LinuxSeccomp = serde_json::from_str(PROFILE)?;
    profile.set_architectures(Some(if cfg!(target_arch = "x86_64") {
        vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86]
    } else if cfg!(target_arch = "aarch64") {
        vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm]
    } else {
        vec![Arch::ScmpArchNative]
    }));
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use oci_spec::runtime::LinuxSeccompAction;

    use super::*;

    #[test]
    fn what_acts_on_the_host_is_not_allowed() {
        let profile = default_profile().unwrap();
        assert_eq!(profile.default_action(), LinuxSeccompAction::ScmpActErrno);
        let rules = profile.syscalls().clone().unwrap();
        let free: HashSet<&str> = rules
            .iter()
            .filter(|rule| rule.action() == LinuxSeccompAction::ScmpActAllow)
            .filter(|rule| rule.args().is_none())
            .flat_map(|rule| rule.names().iter().map(String::as_str))
            .collect();
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
}
