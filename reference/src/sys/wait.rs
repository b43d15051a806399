//! Waiting for a descriptor, and for what ends the wait early; without timers.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

/// What ends a wait early.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stop<'a> {
    /// A connection: POLLHUP or POLLERR on it ends the wait. A peer that only shut down its sending side still waits for its answer.
    pub hang_up: Option<BorrowedFd<'a>>,
    /// Any readiness on it ends the wait.
    pub readable: Option<BorrowedFd<'a>>,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// At least one of the descriptors waited for is readable or at its end.
    Ready,
    /// The time is over.
    TimedOut,
    /// [`Stop`] said so.
    Stopped,
}

/// Blocks until one of `fds` is readable, `stop` says so, or `timeout` is over.
///
/// # Errors
/// If poll(2) fails.
pub fn wait_readable(
    fds: &[BorrowedFd<'_>],
    stop: &Stop<'_>,
    timeout: PollTimeout,
) -> io::Result<Woken> {
    let mut set: Vec<PollFd<'_>> = fds
        .iter()
        .map(|fd| PollFd::new(*fd, PollFlags::POLLIN))
        .collect();
    set.extend(
        stop.hang_up
            .iter()
            .map(|fd| PollFd::new(*fd, PollFlags::empty())),
    );
    set.extend(
        stop.readable
            .iter()
            .map(|fd| PollFd::new(*fd, PollFlags::POLLIN)),
    );
    loop {
        match poll(&mut set, timeout) {
            Ok(0) => return Ok(Woken::TimedOut),
            Ok(_) => break,
            // Restarting with the whole timeout is harmless: only a handled signal interrupts, and the program handles next to none.
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let stopped = set
        .iter()
        .skip(fds.len())
        .any(|fd| fd.any().unwrap_or(true));
    Ok(if stopped {
        Woken::Stopped
    } else {
        Woken::Ready
    })
}

/// How long, and between two looks, for [`until_let_go`].
const STRAGGLING: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks whether something is free, for a moment again and again. What a process was about to start when it was killed holds the
/// locks and sockets of the dead one until it executes its own program.
///
/// # Errors
/// The look's.
pub fn until_let_go<E>(mut is_free: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
    let end = Instant::now() + STRAGGLING;
    loop {
        match is_free()? {
            false if Instant::now() < end => std::thread::sleep(LOOK_AGAIN),
            done => return Ok(done),
        }
    }
}

/// Whether anybody is there who could read what is written to this pipe.
#[must_use]
pub fn has_reader(pipe: impl AsFd) -> bool {
    let mut set = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
    // Where the kernel does not tell, the next write does.
    let asked = poll(&mut set, PollTimeout::ZERO);
    let [pipe] = set;
    let gone = |events: PollFlags| events.contains(PollFlags::POLLERR);
    asked.is_err() || !pipe.revents().is_some_and(gone)
}

/// As [`wait_readable`] for one descriptor, without a time limit.
///
/// # Errors
/// If poll(2) fails.
pub fn wait_for(fd: impl AsFd, stop: &Stop<'_>) -> io::Result<Woken> {
    wait_readable(&[fd.as_fd()], stop, PollTimeout::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_has_a_reader_until_that_has_gone() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(has_reader(&writer));
        drop(reader);
        assert!(!has_reader(&writer));
    }
}
