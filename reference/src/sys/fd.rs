//! Ownership of descriptors that nix hands out as numbers.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes over a descriptor that a call has just returned; it is closed on drop.
#[must_use]
pub(crate) fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: callers pass what a system call has just returned to them, which nobody else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
