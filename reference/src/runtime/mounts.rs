//! The file systems that every container gets.

use oci_spec::{
    OciSpecError,
    runtime::{Mount, MountBuilder},
};

/// Destination, type, options. Every one but /dev is nodev; /dev holds the standard nodes.
const DEFAULT: [(&str, &str, &[&str]); 7] = [
    ("/proc", "proc", &["nosuid", "noexec", "nodev"]),
    (
        "/dev",
        "tmpfs",
        &["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"],
    ),
    (
        "/dev/pts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5",
        ],
    ),
    (
        "/dev/shm",
        "tmpfs",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ),
    ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    (
        "/sys/fs/cgroup",
        "cgroup",
        &["nosuid", "noexec", "nodev", "relatime", "ro"],
    ),
];

/// The default mounts, in order.
pub(super) fn default() -> Result<Vec<Mount>, OciSpecError> {
    let mount = |(destination, kind, options): (&str, &str, &[&str])| {
        MountBuilder::default()
            .destination(destination)
            .typ(kind)
            .source(kind)
            .options(
                options
                    .iter()
                    .copied()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
            .build()
    };
    DEFAULT.into_iter().map(mount).collect()
}
