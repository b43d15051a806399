//! What an engine has left on this host.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use podman_reference::{runtime::cgroup_path, store::ContainerId, sys::cgroup};

/// Everything that is there because of one container: processes, cgroups, mounts, files.
pub fn of_container(root: &Path, runroot: &Path, id: &str) -> Vec<String> {
    let files = [
        root.join("containers").join(id),
        run_directory(runroot, id),
        runroot.join("mounts").join(id),
    ];
    let files = files.into_iter().filter(|path| path.exists());
    let mut found: Vec<String> = files.map(told("file")).collect();
    found.extend(outside(runroot, id));
    found
}

/// A container's run directory, which has the beginning of its id for a name.
pub fn run_directory(runroot: &Path, id: &str) -> PathBuf {
    let short: String = id.chars().take(ContainerId::SHORT).collect();
    runroot.join("run").join(short)
}

/// What runs or is mounted because of one container; what its next start must not find.
pub fn outside(runroot: &Path, id: &str) -> Vec<String> {
    let groups = cgroup::Hierarchies::of_host().unwrap();
    let groups: Vec<PathBuf> = groups.groups(&cgroup_path(id)).collect();
    let groups = groups.into_iter().filter(|group| group.exists());
    let mut found: Vec<String> = groups.map(told("cgroup")).collect();
    let mounts = mounts_below(&runroot.join("mounts").join(id));
    found.extend(mounts.into_iter().map(told("mount")));
    let monitors = monitors(id).into_iter();
    found.extend(monitors.map(|pid| format!("monitor {pid}")));
    found
}

/// What no container explains, where there are none: in the staging area, below the run directories, in the mount table.
pub fn of_engine(root: &Path, runroot: &Path) -> Vec<String> {
    let directories = [
        root.join("staging"),
        root.join("containers"),
        runroot.join("run"),
        runroot.join("mounts"),
    ];
    let mut found: Vec<String> = directories
        .iter()
        .flat_map(|directory| fs::read_dir(directory).unwrap())
        .map(|entry| told("file")(entry.unwrap().path()))
        .collect();
    found.extend(mounts_below(runroot).into_iter().map(told("mount")));
    found
}

fn told(kind: &'static str) -> impl Fn(PathBuf) -> String {
    move |path| format!("{kind} {}", path.display())
}

/// The monitors of a container, which have its id in their command line; the dead count no more.
pub fn monitors(id: &str) -> Vec<i32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = command.split('\0').skip(1);
        words.next() == Some("monitor") && words.next() == Some(id)
    })
    .collect()
}

/// What is mounted at or below a path.
pub fn mounts_below(path: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    points
        .map(PathBuf::from)
        .filter(|point| point.starts_with(path))
        .collect()
}
