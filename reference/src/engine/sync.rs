//! Locks and the announcement of changes.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use rustix::event::{EventfdFlags, eventfd};

/// Locks, also after a panic elsewhere: what the locks guard is changed in single steps.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells any number of waiters of the next change. One descriptor serves them all; without waiters there is none.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    /// Held by those who wait, so that it is closed when the last of them leaves.
    next: Weak<OwnedFd>,
}

/// Becomes readable with the next change, and stays so.
#[derive(Debug, Clone)]
pub(super) struct Announcement(Arc<OwnedFd>);

impl Announcer {
    /// To be polled until the next change.
    pub(super) fn subscribe(&mut self) -> io::Result<Announcement> {
        if let Some(next) = self.next.upgrade() {
            return Ok(Announcement(next));
        }
        let fresh = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let fresh = Arc::new(fresh);
        self.next = Arc::downgrade(&fresh);
        Ok(Announcement(fresh))
    }

    /// Wakes all who wait.
    pub(super) fn announce(&mut self) {
        if let Some(next) = std::mem::take(&mut self.next).upgrade() {
            // The counter is 0 before, so that adding 1 cannot fail.
            let _ = rustix::io::write(&*next, &1_u64.to_ne_bytes());
        }
    }
}

impl AsFd for Announcement {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
