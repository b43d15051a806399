//! Ownership of descriptors that nix hands out as numbers, those that come with messages among them.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{ControlMessageOwned, RecvMsg};

/// Takes over a descriptor that a call has just returned; it is closed on drop.
#[must_use]
pub(crate) fn owned(fd: RawFd) -> OwnedFd {
    // SAFETY: callers pass what a system call has just returned to them, which nobody else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// The descriptor that came with a message, if one did.
pub(crate) fn received<S>(message: &RecvMsg<'_, '_, S>) -> nix::Result<Option<OwnedFd>> {
    let descriptors = message.cmsgs()?.filter_map(|cmsg| match cmsg {
        ControlMessageOwned::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok(descriptors.flatten().map(owned).next())
}
