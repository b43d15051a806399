//! Control groups: what hierarchies the host has, and the end of a group in all of them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

use super::process::{Pid, kill_member};

mod accounting;
mod control;
mod enter;
mod freezer;
mod groups;
mod kill;
mod usage;

pub use accounting::count_disk;
pub use control::{Control, ControlError, set};
pub use enter::{enter, see_only};
pub use freezer::{Freezer, Progress};
pub use groups::make;
pub use usage::Usage;

/// Where hosts have their hierarchies.
const ROOT: &str = "/sys/fs/cgroup";
/// The controllers of version 1 that the runtime makes groups for.
const CONTROLLERS: [&str; 12] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
];
/// Rounds of killing and removing. Every round waits a little longer; in all about a second.
const ROUNDS: u32 = 12;

/// How a host's cgroups are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// Version 1: a hierarchy for each controller.
    Legacy,
    /// Version 1, and a version 2 hierarchy beside it, whose controllers containers do not use.
    Hybrid,
    /// Version 2 alone.
    Unified,
}

/// The host's setup and its hierarchies.
#[derive(Debug)]
pub struct Hierarchies {
    /// The setup.
    pub setup: Setup,
    /// The mount points of the hierarchies that containers have groups in.
    pub mounts: Vec<PathBuf>,
}

impl Hierarchies {
    /// This host's; looked up once.
    ///
    /// # Errors
    /// If /proc/self/mountinfo or /sys/fs/cgroup cannot be read.
    pub fn of_host() -> io::Result<&'static Self> {
        static HOST: OnceLock<Hierarchies> = OnceLock::new();
        if let Some(known) = HOST.get() {
            return Ok(known);
        }
        let unified = statfs(ROOT)?.filesystem_type() == CGROUP2_SUPER_MAGIC;
        let found = Self::parse(&fs::read_to_string("/proc/self/mountinfo")?, unified);
        Ok(HOST.get_or_init(|| found))
    }

    fn parse(mountinfo: &str, unified: bool) -> Self {
        let mounts = |kind: &str| -> Vec<PathBuf> {
            mountinfo
                .lines()
                .filter_map(|line| mount_of(line, kind))
                .collect()
        };
        if unified {
            return Self {
                setup: Setup::Unified,
                mounts: vec![PathBuf::from(ROOT)],
            };
        }
        let setup = if mounts("cgroup2").is_empty() {
            Setup::Legacy
        } else {
            Setup::Hybrid
        };
        Self {
            setup,
            mounts: mounts("cgroup"),
        }
    }

    /// A group's directory in each hierarchy, in the order of [`Hierarchies::mounts`].
    pub fn groups(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        self.mounts.iter().map(move |mount| mount.join(relative))
    }
}

/// The mount point of a line of mountinfo, if it is one of `kind` below [`ROOT`] with a controller that containers use.
fn mount_of(line: &str, kind: &str) -> Option<PathBuf> {
    let (left, right) = line.split_once(" - ")?;
    let point = left.split(' ').nth(4)?;
    let mut right = right.split(' ');
    let found = right.next()?;
    let options = right.nth(1)?;
    let used = found == "cgroup2" || options.split(',').any(|o| CONTROLLERS.contains(&o));
    (found == kind && point.starts_with(ROOT) && used).then(|| PathBuf::from(point))
}

/// Whether the kernel killed a member of the group for want of memory.
#[must_use]
pub fn oom_killed(path: &Path) -> bool {
    let Ok(host) = Hierarchies::of_host() else {
        return false;
    };
    let file = match host.setup {
        Setup::Unified => "memory.events",
        Setup::Legacy | Setup::Hybrid => "memory.oom_control",
    };
    host.groups(path)
        .filter_map(|group| fs::read_to_string(group.join(file)).ok())
        .any(|text| oom_kills(&text) > 0)
}

/// The count `oom_kill` of memory.events (version 2) or memory.oom_control (version 1).
fn oom_kills(text: &str) -> u64 {
    let count = |line: &str| line.strip_prefix("oom_kill ")?.trim().parse().ok();
    text.lines().find_map(count).unwrap_or(0)
}

/// The names of the groups right below the root, whatever hierarchies they are in.
///
/// # Errors
/// If the host's hierarchies cannot be read.
pub fn names() -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for hierarchy in &Hierarchies::of_host()?.mounts {
        let entries = fs::read_dir(hierarchy)?.flatten();
        let groups = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        names.extend(groups.filter_map(|entry| entry.file_name().into_string().ok()));
    }
    Ok(names)
}

/// The processes of a group and of the groups below it. A group that is not there has none.
///
/// # Errors
/// If the host's hierarchies cannot be read.
pub fn members(path: &Path) -> io::Result<Vec<Pid>> {
    let mut pids: Vec<Pid> = Hierarchies::of_host()?
        .groups(path)
        .flat_map(|group| members_below(&group))
        .collect();
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

fn members_below(group: &Path) -> Vec<Pid> {
    let mut pids = members_of(group);
    let below = fs::read_dir(group).into_iter().flatten().flatten();
    for child in below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        pids.extend(members_below(&child.path()));
    }
    pids
}

fn members_of(group: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.parse().ok())
        .filter_map(Pid::new)
        .collect()
}

/// Kills the members of a group and removes it with the groups below it, in every hierarchy, and those above it that were made
/// for it and are empty. What is not there is no error.
///
/// # Errors
/// If a group stays: a process in it does not die. If `path` is the root, which holds the whole host.
pub fn remove(path: &Path) -> io::Result<()> {
    if path.file_name().is_none() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if let Some(freezer) = Freezer::of(path)? {
        kill::kill_all(&freezer);
    }
    let mut failed = Ok(());
    let host = Hierarchies::of_host()?;
    for (hierarchy, group) in host.mounts.iter().zip(host.groups(path)) {
        match remove_one(&group) {
            Ok(()) => groups::remove_parents(hierarchy, path),
            Err(error) => failed = Err(error),
        }
    }
    failed
}

fn remove_one(group: &Path) -> io::Result<()> {
    for round in 0..ROUNDS {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if round + 1 == ROUNDS => return Err(error),
            Err(_) => {}
        }
        for child in fs::read_dir(group)?.flatten() {
            if child.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove_one(&child.path())?;
            }
        }
        // A frozen process does not die.
        let _ = Freezer::at(group).map(|freezer| freezer.thaw());
        members_of(group).into_iter().for_each(kill_member);
        if round > 0 {
            // There is no event for a group's last process to be gone in version 1.
            std::thread::sleep(std::time::Duration::from_millis(1 << round.min(8)));
        }
    }
    Ok(())
}

/// Where a group is frozen, its processes go on, and can die.
///
/// # Errors
/// If the host's hierarchies cannot be read, or the kernel refuses.
pub fn thaw(path: &Path) -> io::Result<()> {
    let Some(freezer) = Freezer::of(path)? else {
        return Ok(());
    };
    match freezer.thaw() {
        // A group that is gone holds nobody.
        Err(_) if Freezer::of(path)?.is_none() => Ok(()),
        thawed => thawed,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HYBRID: &str = "\
30 24 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro
31 30 0:27 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
33 30 0:29 / /elsewhere/cgroup rw - cgroup cgroup rw,pids
34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd";

    #[test]
    fn a_hybrid_host_has_its_version_1_hierarchies() {
        let host = Hierarchies::parse(HYBRID, false);
        assert_eq!(host.setup, Setup::Hybrid);
        assert_eq!(host.mounts, [PathBuf::from("/sys/fs/cgroup/cpu")]);
    }

    #[test]
    fn a_unified_host_has_one() {
        let host = Hierarchies::parse("", true);
        assert_eq!(host.setup, Setup::Unified);
        let groups: Vec<_> = host.groups(Path::new("/a/b")).collect();
        assert_eq!(groups, [PathBuf::from("/sys/fs/cgroup/a/b")]);
    }

    #[rstest]
    #[case::version_1("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2)]
    #[case::version_2("low 0\nhigh 0\nmax 4\noom 1\noom_kill 1\noom_group_kill 0\n", 1)]
    #[case::old_kernel("oom_kill_disable 0\n", 0)]
    fn kills_for_want_of_memory_are_counted(#[case] text: &str, #[case] kills: u64) {
        assert_eq!(oom_kills(text), kills);
    }
}
