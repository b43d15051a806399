//! User namespaces: made with their ids mapped, and entered.
#![allow(unsafe_code)]

use std::{
    fs::{self, File},
    io::{self, PipeWriter, Read, Write},
    os::fd::{AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    libc,
    sched::{CloneFlags, setns, unshare},
    sys::prctl::set_pdeathsig,
    unistd::{ForkResult, fork, getpid, getppid, pause},
};
use rustix::{
    fs::{Gid, Uid},
    thread::{
        capabilities, set_capabilities, set_keep_capabilities, set_thread_groups,
        set_thread_res_gid, set_thread_res_uid,
    },
};

use super::{
    namespace::{self, Kind},
    process::{Pid, ProcessId, kill_member},
    reap::reap,
};

/// Which ids a user namespace has: lines of `INSIDE OUTSIDE COUNT`, as the kernel takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maps {
    /// Of users.
    pub users: String,
    /// Of groups.
    pub groups: String,
}

/// A process that holds a user namespace, and others that belong to it, until it is dropped.
#[derive(Debug)]
pub struct Holder(ProcessId);

impl Holder {
    /// Makes a user namespace with these ids, and `others` that belong to it.
    ///
    /// # Errors
    /// Which ids the kernel does not take, or why it makes none.
    pub fn new(maps: &Maps, others: &[Kind]) -> io::Result<Self> {
        let flags = others
            .iter()
            .fold(CloneFlags::CLONE_NEWUSER, |flags, kind| flags | kind.flag());
        let (mut made, tell) = io::pipe()?;
        let parent = getpid();
        // SAFETY: the child makes system calls alone, whatever locks other threads held when it was made.
        let child = match unsafe { fork() }? {
            ForkResult::Child => hold(flags, &tell, parent),
            ForkResult::Parent { child } => child,
        };
        drop(tell);
        let pid = Pid::new(child.as_raw()).ok_or(io::ErrorKind::InvalidData)?;
        let holder = Self(ProcessId::of(pid)?);
        let mut error = [0; 4];
        made.read_exact(&mut error)?;
        match i32::from_ne_bytes(error) {
            0 => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        for (file, map) in [("uid_map", &maps.users), ("gid_map", &maps.groups)] {
            let lines = map.trim_end().replace('\n', ", ");
            fs::write(format!("/proc/{pid}/{file}"), map).map_err(|error| {
                io::Error::new(error.kind(), format!("{file} cannot be {lines:?}: {error}"))
            })?;
        }
        Ok(holder)
    }

    /// One of its namespaces, which then lasts longer than this.
    ///
    /// # Errors
    /// If somebody has killed the process.
    pub fn open(&self, kind: Kind) -> io::Result<File> {
        namespace::open(&self.0, kind)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Not collected yet, so that the number is still its own.
        kill_member(self.0.pid);
        let _ = reap(self.0.pid);
    }
}

/// The child's whole life. No memory is taken in it. It waits for no descriptor: other such children may hold copies.
fn hold(flags: CloneFlags, mut tell: &PipeWriter, parent: nix::unistd::Pid) -> ! {
    // SAFETY: takes a number alone.
    let error = match unsafe { libc::unshare(flags.bits()) } {
        0 => 0,
        _ => Errno::last_raw(),
    };
    // It does not outlive who made it.
    let bound = set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
    if bound.is_ok() && getppid() == parent && tell.write(&error.to_ne_bytes()).is_ok() {
        loop {
            pause();
        }
    }
    // SAFETY: ends this process at once.
    unsafe { libc::_exit(1) }
}

/// Who a process becomes in a user namespace; the ids are those inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity<'a> {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Further group ids.
    pub groups: &'a [u32],
}

/// Goes to a user namespace and becomes somebody there, with every capability in it; what is mounted becomes a copy that belongs to
/// the namespace, and in which nothing that was mounted before can be taken away. Only for a process with one thread.
///
/// # Errors
/// What was being done, and the kernel's answer.
pub fn enter(namespace: &File, identity: &Identity<'_>) -> io::Result<()> {
    let failed = |what: &'static str| {
        move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"))
    };
    setns(namespace, CloneFlags::CLONE_NEWUSER)
        .map_err(io::Error::from)
        .map_err(failed("cannot enter the user namespace"))?;
    unshare(CloneFlags::CLONE_NEWNS)
        .map_err(io::Error::from)
        .map_err(failed("cannot copy the mounts"))?;
    become_somebody(identity)
        .map_err(io::Error::from)
        .map_err(failed("cannot take the ids of the user"))
}

fn become_somebody(identity: &Identity<'_>) -> Result<(), rustix::io::Errno> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    let groups: Vec<Gid> = identity.groups.iter().copied().map(Gid::from_raw).collect();
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_keep_capabilities(true)?;
    set_thread_res_uid(uid, uid, uid)?;
    set_keep_capabilities(false)?;
    let mut held = capabilities(None)?;
    held.effective = held.permitted;
    set_capabilities(None, held)
}

/// A copy of what is mounted at `path`, attached nowhere, in which the ids of files are mapped as in a user namespace.
///
/// # Errors
/// The kernel's: [`io::ErrorKind::InvalidInput`] where the file system cannot do it, ENOSYS before Linux 5.12.
pub fn mapped(path: &std::path::Path, namespace: &File) -> io::Result<OwnedFd> {
    use rustix::mount::{OpenTreeFlags, open_tree};
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(rustix::fs::CWD, path, flags)?;
    let attributes = Attributes {
        set: MAP_IDS,
        clear: 0,
        propagation: 0,
        user_namespace: u64::try_from(namespace.as_raw_fd()).map_err(io::Error::other)?,
    };
    // SAFETY: the kernel reads an empty path, and as many bytes as the structure has.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    Errno::result(done)?;
    Ok(tree)
}

/// The kernel's MOUNT_ATTR_IDMAP.
const MAP_IDS: u64 = 0x0010_0000;

/// The kernel's mount_attr.
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn maps(users: &str) -> Maps {
        Maps {
            users: users.into(),
            groups: "0 300000 10\n".into(),
        }
    }

    #[test]
    fn namespaces_last_longer_than_what_held_them() {
        let holder = Holder::new(
            &maps("0 100000 1000\n1000 200000 1\n"),
            &[Kind::Network, Kind::Ipc],
        )
        .unwrap();
        let text = fs::read_to_string(format!("/proc/{}/uid_map", holder.0.pid)).unwrap();
        let numbers: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(numbers, ["0", "100000", "1000", "1000", "200000", "1"]);
        let kinds = [Kind::User, Kind::Network, Kind::Ipc];
        let held = kinds.map(|kind| holder.open(kind).unwrap());
        let process = holder.0.clone();
        drop(holder);
        assert!(!process.is_alive());
        for (kind, file) in kinds.into_iter().zip(held) {
            let own = namespace::open(&ProcessId::current().unwrap(), kind).unwrap();
            let number = |file: &File| file.metadata().unwrap().ino();
            assert_ne!(number(&own), number(&file), "{kind:?}");
        }
    }

    #[test]
    fn many_can_be_made_at_once() {
        let all: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    for _ in 0..25 {
                        drop(Holder::new(&maps("0 100000 1\n"), &[]).unwrap());
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn ids_that_the_kernel_does_not_take_are_named() {
        let error = Holder::new(&maps("0 1 5\n3 9 5\n"), &[]).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("uid_map") && told.contains("0 1 5, 3 9 5"),
            "{told}"
        );
    }
}
