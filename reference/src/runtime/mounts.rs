//! The file systems that a container gets: those of every container, its volumes and tmpfs.

use std::path::{Path, PathBuf};

use oci_spec::{
    OciSpecError,
    runtime::{Mount, MountBuilder},
};

use super::{devices, files::FILES, setup::cgroup_path};
use crate::{
    settings::{Device, Mounts, Namespace, Security, Settings, Source, Tmpfs, Volume},
    sys::cgroup::{Hierarchies, Setup},
};

/// Terminals.
const PTS: &str = "/dev/pts";

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
        PTS,
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
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

/// Where volumes are that are not the host's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeDirectories {
    /// Those that have names, by these.
    pub named: PathBuf,
    /// The container's own, by their numbers.
    pub own: PathBuf,
}

impl VolumeDirectories {
    /// Where a volume's files are.
    #[must_use]
    pub fn path(&self, source: &Source) -> PathBuf {
        match source {
            Source::Host(path) => path.clone(),
            Source::Named(name) => self.named.join(name),
            Source::Own(number) => self.own.join(number.to_string()),
        }
    }
}

/// The group of terminals, for its devpts: as the host calls it. Where the container has no such group it is its root's.
fn group_of_terminals(settings: &Settings) -> Option<String> {
    const TTY: u32 = 5;
    let group = match &settings.namespaces.ids {
        Some(ids) => ids.host_group(TTY)?,
        None => TTY,
    };
    Some(format!("gid={group}"))
}

/// The mounts of the container with this id, in order; `files` is the directory of those of its files that the engine writes.
///
/// # Errors
/// If the OCI library refuses a value, or the host's cgroups cannot be read.
pub fn mounts(
    id: &str,
    files: &Path,
    volumes: &VolumeDirectories,
    settings: &Settings,
) -> Result<Vec<Mount>, OciSpecError> {
    let host = Hierarchies::of_host().map_err(OciSpecError::Io)?;
    let security = &settings.security;
    let cgroup = cgroup_path(id, &settings.resources);
    fixed(settings)
        .chain(cgroups(&cgroup, host, security))
        .chain(wanted(&settings.mounts, volumes))
        .chain(provided(files, &settings.mounts))
        .chain(devices::elsewhere(security).map(bound_device))
        .collect()
}

/// Those that every container has, but for the ones in whose place something else is wanted.
fn fixed(settings: &Settings) -> impl Iterator<Item = Result<Mount, OciSpecError>> {
    let shm_size = settings.resources.shm_size;
    let shm_size = shm_size.map(|size| format!("size={size}"));
    let left = DEFAULT
        .into_iter()
        .filter(|(to, ..)| !settings.mounts.has(to));
    let terminals = group_of_terminals(settings);
    let of_host = settings.namespaces.ipc == Namespace::Host;
    left.map(move |(to, kind, options)| {
        if to == SHM && of_host {
            return mount(SHM, "bind", SHM, &SHM_OF_HOST);
        }
        let size = shm_size.as_deref().filter(|_| to == SHM);
        let group = terminals.as_deref().filter(|_| to == PTS);
        let mut options = writable_if(&settings.security, options);
        // The later one counts.
        options.extend(size.into_iter().chain(group));
        mount(to, kind, kind, &options)
    })
}

/// The files that the engine writes, but for those in whose place something else is wanted.
fn provided(files: &Path, wanted: &Mounts) -> impl Iterator<Item = Result<Mount, OciSpecError>> {
    let left = FILES.into_iter().filter(|(to, _)| !wanted.has(to));
    left.map(|(to, name)| {
        let file = files.join(name);
        mount(to, "bind", &file.to_string_lossy(), &FILE_OPTIONS)
    })
}

/// Volumes and tmpfs, so that none hides another: those around others come first.
fn wanted(
    mounts: &Mounts,
    directories: &VolumeDirectories,
) -> impl Iterator<Item = Result<Mount, OciSpecError>> {
    let volumes = mounts.volumes.iter().map(|volume| {
        let made = volume_mount(volume, &directories.path(&volume.source));
        (&volume.destination, made)
    });
    let tmpfs = mounts.tmpfs.iter();
    let tmpfs = tmpfs.map(|tmpfs| (&tmpfs.destination, tmpfs_mount(tmpfs)));
    let mut all: Vec<_> = volumes.chain(tmpfs).collect();
    all.sort_by_key(|(destination, _)| *destination);
    all.into_iter().map(|(_, made)| made)
}

/// The words of the second kind, with `r`, go for what is mounted below the source too.
fn volume_mount(volume: &Volume, source: &Path) -> Result<Mount, OciSpecError> {
    let access = if volume.read_only {
        ["ro", "rro"].as_slice()
    } else {
        &["rw"]
    };
    let mut options = vec!["rbind".to_owned(), volume.propagation.word().to_owned()];
    options.extend(access.iter().map(|&word| word.to_owned()));
    for word in &volume.restrictions {
        options.extend([word.clone(), format!("r{word}")]);
    }
    MountBuilder::default()
        .destination(&volume.destination)
        .typ("bind")
        .source(source)
        .options(options)
        .build()
}

fn tmpfs_mount(tmpfs: &Tmpfs) -> Result<Mount, OciSpecError> {
    MountBuilder::default()
        .destination(&tmpfs.destination)
        .typ("tmpfs")
        .source("tmpfs")
        .options(tmpfs.options.clone())
        .build()
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
