//! Waiting that always ends: at a point in time, or when the user interrupts the run.

use std::{
    io::{self, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

/// A switch that ends every wait that watches it; it is thrown once and stays.
#[derive(Debug)]
pub struct Interrupt {
    thrown: AtomicBool,
    // Readable from the moment the switch is thrown: nobody ever reads the byte.
    watched: UnixStream,
    signal: UnixStream,
}

impl Interrupt {
    /// A switch that is not thrown.
    ///
    /// # Errors
    /// The system has no more file descriptors.
    pub fn new() -> io::Result<Self> {
        let (watched, signal) = UnixStream::pair()?;
        signal.set_nonblocking(true)?;
        Ok(Self {
            thrown: AtomicBool::new(false),
            watched,
            signal,
        })
    }

    /// Ends all waits, now and later.
    pub fn throw(&self) {
        self.thrown.store(true, Ordering::SeqCst);
        // A full pipe is readable already, which is all that is wanted.
        let _ = (&self.signal).write(b"!");
    }

    /// Whether it was thrown.
    pub fn is_thrown(&self) -> bool {
        self.thrown.load(Ordering::SeqCst)
    }
}

/// How long a wait may last.
#[derive(Debug, Clone, Copy)]
pub struct Deadline<'a> {
    /// The last moment.
    pub at: Instant,
    /// What ends it earlier.
    pub interrupt: Option<&'a Interrupt>,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// What was waited for is there.
    Ready(PollFlags),
    /// The deadline passed.
    TimedOut,
    /// The user interrupted the run.
    Interrupted,
}

impl<'a> Deadline<'a> {
    /// This long from now, without an interrupt.
    pub fn after(duration: Duration) -> Self {
        let now = Instant::now();
        Self {
            at: now.checked_add(duration).unwrap_or(now),
            interrupt: None,
        }
    }

    /// The same wait, but not beyond `at`.
    #[must_use]
    pub fn no_later_than(self, at: Instant) -> Self {
        Self {
            at: self.at.min(at),
            ..self
        }
    }

    /// The same wait, ended by this switch too.
    #[must_use]
    pub fn watching(self, interrupt: Option<&'a Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// The time left.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits until `fd` is ready for `events`; a deadline in the past asks once without waiting.
    ///
    /// # Errors
    /// `poll` fails (out of memory).
    pub fn wait(&self, fd: BorrowedFd<'_>, events: PollFlags) -> io::Result<Waited> {
        loop {
            let mut fds = vec![PollFd::new(fd, events)];
            if let Some(interrupt) = self.interrupt {
                fds.push(PollFd::new(interrupt.watched.as_fd(), PollFlags::POLLIN));
            }
            match poll(&mut fds, self.poll_timeout()) {
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            if self.interrupt.is_some_and(Interrupt::is_thrown) {
                return Ok(Waited::Interrupted);
            }
            match fds.first().and_then(|fd| fd.revents()) {
                Some(ready) if !ready.is_empty() => return Ok(Waited::Ready(ready)),
                _ if self.left().is_zero() => return Ok(Waited::TimedOut),
                _ => {}
            }
        }
    }

    /// Sleeps until the deadline; true if the user interrupted it.
    pub fn sleep(&self) -> bool {
        let Some(interrupt) = self.interrupt else {
            std::thread::sleep(self.left());
            return false;
        };
        let watched = Deadline {
            at: self.at,
            interrupt: None,
        };
        match watched.wait(interrupt.watched.as_fd(), PollFlags::POLLIN) {
            Ok(waited) => matches!(waited, Waited::Ready(_)),
            Err(_) => interrupt.is_thrown(),
        }
    }

    /// Rounded up, so that a wait never ends before its deadline.
    fn poll_timeout(&self) -> PollTimeout {
        let milliseconds = self.left().as_micros().div_ceil(1000);
        PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thrown_interrupt_ends_a_sleep_at_once() {
        let interrupt = Interrupt::new().unwrap();
        interrupt.throw();
        let started = Instant::now();
        assert!(
            Deadline::after(Duration::from_secs(60))
                .watching(Some(&interrupt))
                .sleep()
        );
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_wait_never_ends_before_its_deadline() {
        let (silent, _other) = UnixStream::pair().unwrap();
        let deadline = Deadline::after(Duration::from_micros(5_500));
        let waited = deadline.wait(silent.as_fd(), PollFlags::POLLIN).unwrap();
        assert_eq!(waited, Waited::TimedOut);
        assert!(deadline.left().is_zero());
    }
}
