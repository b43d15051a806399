//! The signals that end the daemon, as something to poll, and the event that tells every thread of it.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

use nix::sys::{
    eventfd::{EfdFlags, EventFd},
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};

/// Readable once SIGTERM or SIGINT came.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks them in this thread and in every thread that it starts; call it before any other thread runs.
    ///
    /// SIGHUP is blocked too, and never read: the daemon outlives the terminal that it was started from. Blocked, not
    /// ignored, since only the mask is reset in a new program.
    ///
    /// # Errors
    /// The kernel's.
    pub fn block() -> io::Result<Self> {
        let mut ends = SigSet::empty();
        ends.add(Signal::SIGTERM);
        ends.add(Signal::SIGINT);
        let mut blocked = ends;
        blocked.add(Signal::SIGHUP);
        blocked.thread_block()?;
        Ok(Self(SignalFd::with_flags(
            &ends,
            SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
        )?))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Readable, and stays so, once the daemon shuts down.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<EventFd>);

impl Shutdown {
    /// Not yet.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(Arc::new(EventFd::from_value_and_flags(0, flags)?)))
    }

    /// Tells everybody.
    ///
    /// # Errors
    /// The kernel's.
    pub fn begin(&self) -> io::Result<()> {
        self.0.write(1)?;
        Ok(())
    }
}

impl AsFd for Shutdown {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
