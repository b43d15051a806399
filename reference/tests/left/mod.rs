//! What an engine has left on this host.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use podman_reference::{
    runtime::cgroup_path, settings::Resources, store::ContainerId, sys::cgroup,
};

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
    let groups: Vec<PathBuf> = groups
        .groups(&cgroup_path(id, &Resources::default()))
        .collect();
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

/// What none of the containers explains: of `known` ones files may be there, of `running` ones also a mount and a monitor.
pub fn strays(root: &Path, runroot: &Path, known: &[String], running: &[String]) -> Vec<String> {
    let belongs = |entry: &str, ids: &[String]| ids.iter().any(|id| id.starts_with(entry));
    let mut found = names(&root.join("staging"));
    for directory in [
        root.join("containers"),
        runroot.join("run"),
        runroot.join("mounts"),
    ] {
        let names = names(&directory).into_iter();
        found.extend(names.filter(|name| !belongs(name, known)));
    }
    let mounts = mounts_below(runroot).into_iter().filter(|point| {
        let name = point.file_name().and_then(|name| name.to_str());
        !name.is_some_and(|name| belongs(name, running))
    });
    found.extend(mounts.map(told("mount")));
    let monitors = monitors_of(|words| {
        let below = words
            .get(1)
            .is_some_and(|keep| Path::new(keep).starts_with(root));
        below && !words.first().is_some_and(|id| running.contains(id))
    });
    found.extend(monitors.into_iter().map(|pid| format!("monitor {pid}")));
    found
}

/// The cgroups in which limits are tried, of all daemons on this host.
pub fn trials() -> Vec<String> {
    let names = cgroup::names().unwrap().into_iter();
    names
        .filter(|name| name.starts_with("podman-reference-trial-"))
        .collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

fn told(kind: &'static str) -> impl Fn(PathBuf) -> String {
    move |path| format!("{kind} {}", path.display())
}

/// The monitors of a container, which have its id in their command line; the dead count no more.
pub fn monitors(id: &str) -> Vec<i32> {
    monitors_of(|words| words.first().is_some_and(|first| first == id))
}

/// The monitors whose arguments, after the subcommand, are such.
fn monitors_of(such: impl Fn(&[String]) -> bool) -> Vec<i32> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> = command.split('\0').map(str::to_owned).collect();
        words.get(1).is_some_and(|word| word == "monitor") && words.get(2..).is_some_and(&such)
    })
    .collect()
}

/// What is mounted at or below a path.
pub fn mounts_below(path: &Path) -> Vec<PathBuf> {
    // The thread's own: it may have a mount namespace for itself.
    let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    points
        .map(PathBuf::from)
        .filter(|point| point.starts_with(path))
        .collect()
}
