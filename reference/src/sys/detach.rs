//! Cutting a process loose from the one that started it.
#![allow(unsafe_code)]

use std::{
    fs::OpenOptions,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    ptr,
};

use nix::{
    errno::Errno,
    libc,
    sys::{
        signal::{SigSet, SigmaskHow, sigprocmask},
        stat::{Mode, umask},
    },
    unistd::{chdir, dup2, setsid},
};

/// Gives this process a session of its own, / as its directory, umask 022, /dev/null for all three standard streams, and no
/// other descriptor. Returns what standard output was. To be called before anything else is opened.
///
/// # Errors
/// If a step fails.
pub fn detach() -> io::Result<OwnedFd> {
    // From 3 on, as the first thing: whatever the daemon's parent leaked to it ends here.
    close_from(3)?;
    let stdout = io::stdout();
    let report = stdout.as_fd().try_clone_to_owned()?;
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    for stream in 0..3 {
        dup2(null.as_raw_fd(), stream)?;
    }
    // Fails only for the leader of a process group, which a child just started is not, unless a person runs it by hand.
    let _ = setsid();
    chdir("/")?;
    umask(Mode::from_bits_truncate(0o022));
    Ok(report)
}

/// Gives this process a session of its own, apart from the one that it was forked from.
///
/// # Errors
/// The kernel's.
pub fn leave_session() -> io::Result<()> {
    Ok(setsid().map(drop)?)
}

fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: nothing in this process owns a descriptor from `first` on yet; it has just been executed.
    let done = unsafe { libc::close_range(first, u32::MAX, 0) };
    Errno::result(done).map(drop).map_err(Into::into)
}

/// Gives every signal its default action and unblocks all, as a program expects them when it is executed.
pub fn reset_signals() {
    // Zeroes are SIG_DFL, no flags, an empty mask. The library's own call leaves out real-time signals, two of which its
    // posix_spawn has left ignored.
    let default = [0_u64; 4];
    let old: *mut u64 = ptr::null_mut();
    for number in 1..=64 {
        // SAFETY: the kernel reads a sigaction, which is 32 bytes at most, and writes nothing to a null pointer.
        // SIGKILL and SIGSTOP refuse, which changes nothing.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), old, 8) };
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None);
}
