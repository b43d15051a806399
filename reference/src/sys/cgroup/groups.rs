//! Making a group in every hierarchy, with those above it that are missing; and their removal once they are empty.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use rustix::fs::XattrFlags;

use super::{Hierarchies, Setup, control::put};

/// The attribute of a group that was made for the sake of one below it. It is the group's own, so it is gone with it.
const MADE: &str = "trusted.podman-reference";
/// How often a group is made anew whose parent somebody else removes meanwhile.
const ATTEMPTS: u32 = 20;

/// Makes the group at `path` in every hierarchy, with the groups above it that are missing.
///
/// # Errors
/// The kernel's.
pub fn make(path: &Path) -> io::Result<()> {
    let host = Hierarchies::of_host()?;
    for hierarchy in &host.mounts {
        make_in(hierarchy, path, host.setup)?;
    }
    Ok(())
}

fn make_in(hierarchy: &Path, path: &Path, setup: Setup) -> io::Result<()> {
    for _ in 1..ATTEMPTS {
        match try_make(hierarchy, path, setup) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    try_make(hierarchy, path, setup)
}

fn try_make(hierarchy: &Path, path: &Path, setup: Setup) -> io::Result<()> {
    let mut names = names(path).peekable();
    let mut group = hierarchy.to_owned();
    while let Some(name) = names.next() {
        if setup == Setup::Unified {
            hand_down(&group);
        }
        let below = group.join(name);
        match fs::create_dir(&below) {
            Ok(()) if names.peek().is_some() => mark(&below),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        inherit(&group, &below)?;
        group = below;
    }
    Ok(())
}

/// The names on a path, from the root of the hierarchy on.
fn names(path: &Path) -> impl Iterator<Item = &std::ffi::OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// Version 2: lets the groups below use every controller. One that the kernel does not give is missed by who needs it.
fn hand_down(group: &Path) {
    let words = |file| fs::read_to_string(group.join(file)).unwrap_or_default();
    let given = words("cgroup.subtree_control");
    for controller in words("cgroup.controllers").split_whitespace() {
        if !given.split_whitespace().any(|known| known == controller) {
            let file = group.join("cgroup.subtree_control");
            let _ = put(&file, &format!("+{controller}"));
        }
    }
}

/// Version 1: a group without processors and memory nodes takes no process.
fn inherit(group: &Path, below: &Path) -> io::Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let (from, to) = (group.join(file), below.join(file));
        // In version 2 an empty file means the parent's.
        let empty = || fs::read_to_string(&to).is_ok_and(|text| text.trim().is_empty());
        if !group.join("cgroup.controllers").exists() && from.exists() && empty() {
            put(&to, fs::read_to_string(from)?.trim())?;
        }
    }
    Ok(())
}

fn mark(group: &Path) {
    // Where the kernel keeps no attributes of groups, it stays for the next container.
    let _ = rustix::fs::setxattr(group, MADE, b"made", XattrFlags::empty());
}

fn is_marked(group: &Path) -> bool {
    let mut value = [0_u8; 8];
    rustix::fs::getxattr(group, MADE, &mut value[..]).is_ok()
}

/// Removes the groups above the one at `path` that [`make`] made, from the lowest on, as far as they are empty.
pub(super) fn remove_parents(hierarchy: &Path, path: &Path) {
    let mut names: Vec<_> = names(path).collect();
    while names.pop().is_some() && !names.is_empty() {
        let group = names
            .iter()
            .fold(PathBuf::from(hierarchy), |group, name| group.join(name));
        if is_marked(&group) && fs::remove_dir(&group).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_handed_down_in_version_2() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| home.path().join(name);
        fs::write(file("cgroup.controllers"), "cpu io\n").unwrap();
        fs::write(file("cgroup.subtree_control"), "cpu\n").unwrap();
        hand_down(home.path());
        let written = fs::read_to_string(file("cgroup.subtree_control")).unwrap();
        assert_eq!(written, "+io");
    }

    #[test]
    fn groups_that_were_made_are_removed_with_the_last_one_below() {
        let root = Path::new("/").join(format!("podman-reference-groups-{}", std::process::id()));
        let (first, second) = (root.join("a/first"), root.join("a/second"));
        make(&first).unwrap();
        make(&second).unwrap();
        let there = |path: &Path| {
            let host = Hierarchies::of_host().unwrap();
            host.groups(path).all(|group| group.exists())
        };
        assert!(there(&first) && there(&second));
        super::super::remove(&first).unwrap();
        assert!(there(&second));
        super::super::remove(&second).unwrap();
        let host = Hierarchies::of_host().unwrap();
        assert!(host.groups(&root).all(|group| !group.exists()));
    }

    #[test]
    fn a_group_that_was_there_stays() {
        let root = Path::new("/").join(format!("podman-reference-kept-{}", std::process::id()));
        make(&root).unwrap();
        make(&root.join("below")).unwrap();
        super::super::remove(&root.join("below")).unwrap();
        let host = Hierarchies::of_host().unwrap();
        let kept = host.groups(&root).all(|group| group.exists());
        super::super::remove(&root).unwrap();
        assert!(kept);
    }
}
