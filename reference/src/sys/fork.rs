//! Forking a process with one thread.
#![allow(unsafe_code)]

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use nix::{
    errno::Errno,
    libc,
    unistd::{ForkResult, fork},
};

use super::process::Pid;

/// Does something in a child, which then ends with 0, or 1 after a panic. Only for a process with one thread: a copy of one
/// that another thread was at work in could be in any state.
///
/// # Errors
/// If the kernel has no room for another process.
pub fn in_child(act: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: there is one thread, so the copy is whole.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            Pid::new(child.as_raw()).ok_or_else(|| io::Error::other("fork(2) gave no process"))
        }
        ForkResult::Child => {
            let done = catch_unwind(AssertUnwindSafe(act));
            // SAFETY: ends the process at once; what it would run at its end belongs to the parent.
            unsafe { libc::_exit(i32::from(done.is_err())) }
        }
    }
}

/// Forks a child that is its parent's, as if that one had started it; gives its number, `None` in the child. Only for a process
/// with one thread.
///
/// # Errors
/// If the kernel has no room for another process.
pub fn sibling() -> io::Result<Option<Pid>> {
    let (flags, none) = (libc::c_long::from(libc::CLONE_PARENT), ptr::null::<u8>());
    // SAFETY: without CLONE_VM this is a fork: the child goes on on a copy of this stack, and there is one thread, so the copy is
    // whole.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
    let pid = i32::try_from(Errno::result(pid)?).map_err(io::Error::other)?;
    Ok(Pid::new(pid))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::sys::reap::reap;

    #[test]
    fn a_child_does_what_it_is_for_and_ends() {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let child = in_child(|| {
            let _ = io::Write::write_all(&mut writer, b"done");
        });
        drop(writer);
        assert_eq!(reap(child.unwrap()).unwrap().code(), Some(0));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "done");
    }

    #[test]
    fn a_sibling_is_a_child_of_the_parent() {
        let (mut reader, mut writer) = io::pipe().unwrap();
        let child = in_child(|| {
            if let Some(sibling) = sibling().unwrap() {
                let _ = io::Write::write_all(&mut writer, &sibling.get().to_ne_bytes());
            }
        });
        reap(child.unwrap()).unwrap();
        let mut number = [0; 4];
        reader.read_exact(&mut number).unwrap();
        let sibling = Pid::new(i32::from_ne_bytes(number)).unwrap();
        assert_eq!(reap(sibling).unwrap().code(), Some(0));
    }

    #[test]
    fn a_panic_stays_in_the_child() {
        let child = in_child(|| panic!("on purpose")).unwrap();
        assert_eq!(reap(child).unwrap().code(), Some(1));
    }
}
