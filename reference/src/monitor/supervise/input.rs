//! The monitor's side of the container's standard streams: what it is told.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    os::fd::{AsFd, BorrowedFd},
};

/// What attached clients send, on its way to the container. A container that does not read makes its clients wait, not its monitor.
pub(super) struct Input {
    /// `None` once nobody can read from it any more.
    file: Option<File>,
    pending: Vec<u8>,
}

impl Input {
    /// Writes to `file`, which does not block.
    pub(super) fn new(file: File) -> Self {
        Self {
            file: Some(file),
            pending: Vec::new(),
        }
    }

    /// What to poll for room, while something waits for it.
    pub(super) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        let file = self.file.as_ref().filter(|_| self.is_full())?;
        Some(file.as_fd())
    }

    /// Whether more must wait.
    pub(super) fn is_full(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes input, and passes on what can be passed on at once.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.pass_on();
    }

    /// Writes what waits, as far as there is room.
    pub(super) fn pass_on(&mut self) {
        while let Some(file) = &mut self.file {
            if self.pending.is_empty() {
                return;
            }
            match file.write(&self.pending) {
                Ok(written) => drop(self.pending.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
        self.pending.clear();
    }
}
