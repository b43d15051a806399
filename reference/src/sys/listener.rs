//! Listening sockets: made, polled and accepted from.
#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4},
        stat::{Mode, umask},
    },
};

use super::peer::Peer;

/// A listening stream socket.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// What a wait for a client ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A client waits to be accepted.
    Client,
    /// No more clients are to be accepted.
    Stop,
    /// The time has passed.
    Pause,
}

impl Listener {
    /// Takes over a socket that listens.
    ///
    /// # Errors
    /// The kernel's.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        // A client may vanish between poll and accept; accept must not wait for the next one then.
        fcntl(socket.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self(socket))
    }

    /// Listens on a Unix address. A socket file that this makes has mode 0600 from its first moment on.
    ///
    /// Call it before any other thread runs: the mask for new files is the whole process's.
    ///
    /// # Errors
    /// The kernel's.
    pub fn bind_unix(address: &UnixAddr) -> io::Result<Self> {
        let kind = (
            AddressFamily::Unix,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
        );
        let socket = socket::socket(kind.0, kind.1, kind.2, None)?;
        let before = umask(Mode::from_bits_truncate(0o177));
        let bound = socket::bind(socket.as_raw_fd(), address);
        umask(before);
        bound?;
        socket::listen(&socket, Backlog::MAXCONN)?;
        Self::new(socket)
    }

    /// Accepts one client.
    ///
    /// # Errors
    /// The kernel's; EMFILE and ENFILE when no descriptor is left.
    pub fn accept(&self) -> io::Result<Peer> {
        let fd = accept4(self.0.as_raw_fd(), SockFlag::SOCK_CLOEXEC)?;
        // SAFETY: the kernel has just made it for us.
        Ok(Peer::new(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Waits for a client, or for `stop` to become readable.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&self, stop: BorrowedFd<'_>) -> io::Result<Event> {
        let mut fds = [
            PollFd::new(stop, PollFlags::POLLIN),
            PollFd::new(self.0.as_fd(), PollFlags::POLLIN),
        ];
        poll_once(&mut fds, PollTimeout::NONE)
    }
}

/// Waits for `stop` to become readable, but no longer than `time`.
///
/// # Errors
/// The kernel's.
pub fn pause(stop: BorrowedFd<'_>, time: Duration) -> io::Result<Event> {
    let mut fds = [PollFd::new(stop, PollFlags::POLLIN)];
    poll_once(
        &mut fds,
        PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
    )
}

fn poll_once(fds: &mut [PollFd<'_>], timeout: PollTimeout) -> io::Result<Event> {
    match poll(fds, timeout) {
        Ok(0) | Err(Errno::EINTR) => Ok(Event::Pause),
        Ok(_) if fds.first().is_some_and(|fd| fd.any() == Some(true)) => Ok(Event::Stop),
        Ok(_) => Ok(Event::Client),
        Err(error) => Err(error.into()),
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
