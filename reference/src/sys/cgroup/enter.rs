//! Entering a group of version 1 without waiting, and seeing nothing of the hierarchies but it.

use std::{fs, io, os::fd::OwnedFd, path::Path};

use nix::sched::{CloneFlags, unshare};
use rustix::{
    fs::CWD,
    mount::{
        MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount,
        mount_change, move_mount, open_tree, unmount,
    },
};

use super::{Hierarchies, ROOT, Setup};

/// Moves this process, which must have one thread, into a group in every hierarchy of version 1; its children are born there.
/// In version 2 it does nothing.
///
/// A thread that moves itself by `tasks` need not wait. Whoever moves a process by `cgroup.procs` waits until the kernel has
/// seen every processor pass by (an RCU grace period), which takes longer than all the rest of a container's start.
///
/// # Errors
/// The kernel's, such as a group without processors.
pub fn enter(path: &Path) -> io::Result<()> {
    let host = Hierarchies::of_host()?;
    if host.setup == Setup::Unified {
        return Ok(());
    }
    host.groups(path)
        .try_for_each(|group| fs::write(group.join("tasks"), "0"))
}

/// Takes everything of version 1 out of this process's sight but the group at `path`, which stays where it is: the process gets
/// mounts of its own. Whoever looks for the hierarchies, to move processes, finds none. In version 2 it does nothing.
///
/// # Errors
/// The kernel's. The process is then in no state to go on.
pub fn see_only(path: &Path) -> io::Result<()> {
    let host = Hierarchies::of_host()?;
    if host.setup == Setup::Unified {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWNS)?;
    // What is taken away here stays on the host.
    mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )?;
    let groups: Vec<_> = host.groups(path).collect();
    let views: Vec<OwnedFd> = groups
        .iter()
        .map(|group| {
            let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
            open_tree(CWD, group, flags)
        })
        .collect::<Result<_, _>>()?;
    unmount(ROOT, UnmountFlags::DETACH)?;
    mount("tmpfs", ROOT, "tmpfs", MountFlags::empty(), c"mode=755")?;
    for (group, view) in groups.iter().zip(&views) {
        fs::create_dir_all(group)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(view, "", CWD, group, flags)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{make, members, remove},
        *,
    };
    use crate::sys::{fork::in_child, reap::reap};

    #[test]
    fn who_enters_is_a_member_and_sees_nothing_else() {
        let host = Hierarchies::of_host().unwrap();
        if host.setup == Setup::Unified {
            return;
        }
        let path = Path::new("/").join(format!("podman-reference-enter-{}", std::process::id()));
        make(&path).unwrap();
        let child = in_child(|| {
            enter(&path).unwrap();
            see_only(&path).unwrap();
            let me = fs::read_to_string("/proc/self/cgroup").unwrap();
            let inside = me.matches(path.to_str().unwrap()).count();
            assert_eq!(inside, host.mounts.len(), "{me}");
            assert!(host.groups(&path).all(|group| group.join("tasks").exists()));
            assert!(host.mounts.iter().all(|root| !root.join("tasks").exists()));
        })
        .unwrap();
        let done = reap(child).unwrap();
        let left = members(&path).unwrap();
        let seen = host.mounts.iter().all(|root| root.join("tasks").exists());
        remove(&path).unwrap();
        assert_eq!((done.code(), left, seen), (Some(0), vec![], true));
    }
}
