//! A mount of one mount namespace, put into another one.

use std::{fs::File, io, path::Path};

use rustix::{
    fs::CWD,
    io::Errno,
    mount::{MoveMountFlags, OpenTreeFlags, UnmountFlags, move_mount, open_tree, unmount},
};

use super::{
    namespace::{Kind, visit, visit_held},
    process::Pid,
};

/// Puts what is mounted at `path` in the mount namespace `of` in the place of what is mounted there for the process `to`. Both then
/// have the same files. Only for a process with one thread: it goes to both.
///
/// # Errors
/// The kernel's.
pub fn share(of: &File, to: Pid, path: &Path) -> io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = visit_held(of, Kind::Mount, || Ok(open_tree(CWD, path, flags)?))?;
    visit(to, Kind::Mount, || {
        match unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            // In a user namespace of its own it cannot be taken away. Then it is covered.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        Ok(move_mount(&tree, "", CWD, path, flags)?)
    })
}
