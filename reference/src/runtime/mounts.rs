//! The file systems that every container gets.

use std::path::Path;

use oci_spec::{
    OciSpecError,
    runtime::{Mount, MountBuilder},
};

use super::{devices, files::FILES, setup::cgroup_path};
use crate::{
    settings::{Device, Namespace, Security, Settings},
    sys::cgroup::{Hierarchies, Setup},
};

/// Shared memory.
pub(super) const SHM: &str = "/dev/shm";
const SHM_OF_HOST: [&str; 5] = ["bind", "nosuid", "noexec", "nodev", "rprivate"];

/// Destination, type, options. Every one but /dev is nodev; /dev holds the standard nodes.
const DEFAULT: [(&str, &str, &[&str]); 6] = [
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
        SHM,
        "tmpfs",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ),
    ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
];

/// Programs inside may change them, for this run.
const FILE_OPTIONS: [&str; 5] = ["bind", "nosuid", "noexec", "nodev", "rprivate"];

/// Where a container sees its cgroup.
const CGROUPS: &str = "/sys/fs/cgroup";
const CGROUP_OPTIONS: [&str; 5] = ["nosuid", "noexec", "nodev", "relatime", "ro"];

/// A node of the host's, visible where the container has no device file system.
const DEVICE_OPTIONS: [&str; 4] = ["bind", "nosuid", "noexec", "rprivate"];

/// The mounts of the container with this id, in order; `files` is the directory of those of its files that the engine writes.
///
/// # Errors
/// If the OCI library refuses a value, or the host's cgroups cannot be read.
pub fn mounts(id: &str, files: &Path, settings: &Settings) -> Result<Vec<Mount>, OciSpecError> {
    let host = Hierarchies::of_host().map_err(OciSpecError::Io)?;
    let security = &settings.security;
    let shm_size = settings
        .resources
        .shm_size
        .map(|size| format!("size={size}"));
    let of_host = settings.namespaces.ipc == Namespace::Host;
    let fixed = DEFAULT.into_iter().map(|(to, kind, options)| {
        if to == SHM && of_host {
            return mount(SHM, "bind", SHM, &SHM_OF_HOST);
        }
        let size = shm_size.as_deref().filter(|_| to == SHM);
        let mut options = writable_if(security, options);
        // The later one counts.
        options.extend(size);
        mount(to, kind, kind, &options)
    });
    let files = FILES.into_iter().map(|(to, name)| {
        mount(
            to,
            "bind",
            &files.join(name).to_string_lossy(),
            &FILE_OPTIONS,
        )
    });
    fixed
        .chain(cgroups(
            &cgroup_path(id, &settings.resources),
            host,
            security,
        ))
        .chain(files)
        .chain(devices::elsewhere(security).map(bound_device))
        .collect()
}

fn bound_device(device: &Device) -> Result<Mount, OciSpecError> {
    let (to, from) = (&device.container, &device.host);
    mount(
        &to.to_string_lossy(),
        "bind",
        &from.to_string_lossy(),
        &DEVICE_OPTIONS,
    )
}

/// What of the cgroup mounts is only read-only once all are there, so that the runtime does it last.
pub(super) fn read_only_afterwards(host: &Hierarchies, security: &Security) -> Option<String> {
    let read_only = host.setup != Setup::Unified && !security.privileged;
    read_only.then(|| CGROUPS.to_owned())
}

/// For a privileged container nothing is read-only.
fn writable_if<'a>(security: &Security, options: &[&'a str]) -> Vec<&'a str> {
    let kept = |option: &&&str| !(security.privileged && **option == "ro");
    options.iter().filter(kept).copied().collect()
}

/// The container's own cgroup, read-only. The library would mount version 1 hierarchies writable, and a root process inside
/// could lift its own limits; so they are bind mounts.
fn cgroups(
    cgroup: &Path,
    host: &Hierarchies,
    security: &Security,
) -> Vec<Result<Mount, OciSpecError>> {
    let own = writable_if(security, &CGROUP_OPTIONS);
    if host.setup == Setup::Unified {
        return vec![mount(CGROUPS, "cgroup", "cgroup", &own)];
    }
    let options = ["nosuid", "noexec", "nodev", "mode=755", "size=64k"];
    let mut mounts = vec![mount(CGROUPS, "tmpfs", "tmpfs", &options)];
    for (hierarchy, group) in host.mounts.iter().zip(host.groups(cgroup)) {
        let (to, from) = (hierarchy.to_string_lossy(), group.to_string_lossy());
        mounts.push(mount(&to, "bind", &from, &[&["bind"], &own[..]].concat()));
    }
    mounts
}

fn mount(to: &str, kind: &str, from: &str, options: &[&str]) -> Result<Mount, OciSpecError> {
    MountBuilder::default()
        .destination(to)
        .typ(kind)
        .source(from)
        .options(
            options
                .iter()
                .map(|&option| option.to_owned())
                .collect::<Vec<_>>(),
        )
        .build()
}
