//! A descriptor of one process: readable once it has ended, and the way to signal it without a pid race.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    ptr,
};

use nix::{errno::Errno, libc};

use super::process::{Pid, Signal};

/// A descriptor of one process; `poll` finds it readable once the process has ended.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// The process that has `pid` now, `None` if there is none.
    ///
    /// # Errors
    /// If the kernel refuses for another reason (EMFILE).
    pub fn open(pid: Pid) -> io::Result<Option<Self>> {
        // SAFETY: the call takes two integers and touches no memory of ours.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.get(), 0) };
        match i32::try_from(Errno::result(fd).map_or(-1, |fd| fd)) {
            // SAFETY: the kernel has just returned this descriptor and nobody else knows it.
            Ok(fd) if fd >= 0 => Ok(Some(Self(unsafe { OwnedFd::from_raw_fd(fd) }))),
            _ => match Errno::last() {
                Errno::ESRCH => Ok(None),
                error => Err(error.into()),
            },
        }
    }

    /// Sends a signal; `false` if the process has ended.
    ///
    /// # Errors
    /// If the kernel refuses for another reason (EPERM).
    pub fn send(&self, signal: Signal) -> io::Result<bool> {
        let no_info: *const libc::siginfo_t = ptr::null();
        // SAFETY: a null siginfo asks the kernel to fill in its own; the descriptor is open.
        let done = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                signal.get(),
                no_info,
                0,
            )
        };
        match Errno::result(done) {
            Ok(_) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<PidFd> for OwnedFd {
    fn from(fd: PidFd) -> Self {
        fd.0
    }
}
