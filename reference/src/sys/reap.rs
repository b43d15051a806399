//! Collecting a child that has ended.
#![allow(unsafe_code)]

use std::{io, os::unix::process::ExitStatusExt, process::ExitStatus};

use nix::{
    errno::Errno,
    libc,
    sys::wait::{Id, WaitPidFlag, waitid},
};

use super::process::Pid;

/// Waits for a child to end and collects it. Unlike nix's, this knows real-time signals.
///
/// # Errors
/// If it is not a child of this process.
pub fn reap(pid: Pid) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = collect(pid, 0)? {
            return Ok(status);
        }
    }
}

/// Collects a child if it has ended.
///
/// # Errors
/// If it is not a child of this process.
pub fn try_reap(pid: Pid) -> io::Result<Option<ExitStatus>> {
    collect(pid, libc::WNOHANG)
}

fn collect(pid: Pid, options: i32) -> io::Result<Option<ExitStatus>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call, which writes one integer to it.
        match Errno::result(unsafe { libc::waitpid(pid.get(), &raw mut status, options) }) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(ExitStatus::from_raw(status))),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for a child other than `kept` to end, and collects it. Should `kept` end first, it is left to be collected, and nothing
/// more is waited for.
///
/// # Errors
/// If there is no child.
pub fn reap_another(kept: Pid) -> io::Result<()> {
    let ended = waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
    match ended.pid().and_then(|pid| Pid::new(pid.as_raw())) {
        Some(pid) if pid != kept => reap(pid).map(drop),
        _ => Ok(()),
    }
}
