//! Network namespaces of containers.
#![allow(unsafe_code)]

use std::{io, mem, os::fd::AsRawFd};

use nix::{
    errno::Errno,
    libc,
    sys::socket::{AddressFamily, SockFlag, SockType, socket},
};

use super::{
    namespace::{Kind, is_apart, visit},
    process::Pid,
};

/// Brings up the loopback device in the network namespace of `pid`, unless that is this process's own.
/// Only for a process with one thread: it visits the namespace.
///
/// # Errors
/// If the namespace cannot be entered or left, or the device not be raised.
pub fn raise_loopback(pid: Pid) -> io::Result<()> {
    if !is_apart(pid, Kind::Network)? {
        return Ok(());
    }
    visit(pid, Kind::Network, || raise(b"lo\0"))
}

fn raise(name: &[u8]) -> io::Result<()> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: a zeroed ifreq is valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name) {
        *to = libc::c_char::try_from(*from).unwrap_or_default();
    }
    request.ifr_ifru.ifru_flags =
        libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or_default();
    // SAFETY: the request is an ifreq with a terminated name, as SIOCSIFFLAGS takes.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(done).map(drop).map_err(Into::into)
}
