//! A connected client: bytes in and out, who it is, and whether it is still there.

use std::{
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{self, MsgFlags, Shutdown, sockopt},
    sys::time::TimeVal,
    unistd::Uid,
};

/// A connected stream socket.
#[derive(Debug)]
pub struct Peer(OwnedFd);

/// What a wait for a peer ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// There is something to read, or the peer has hung up.
    Peer,
    /// The daemon shuts down.
    Shutdown,
    /// The deadline has passed.
    Deadline,
}

impl Peer {
    /// Takes over a connected socket.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// The user that connected, or, on another kind of socket than a Unix one, nobody's id.
    ///
    /// # Errors
    /// The kernel's.
    pub fn user(&self) -> io::Result<Uid> {
        let credentials = socket::getsockopt(&self.0, sockopt::PeerCredentials)?;
        Ok(Uid::from_raw(credentials.uid()))
    }

    /// Bounds how long a write may wait for a client that does not read.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
        let value = TimeVal::new(seconds, i64::from(timeout.subsec_micros()));
        Ok(socket::setsockopt(&self.0, sockopt::SendTimeout, &value)?)
    }

    /// Says that nothing more will be written; what was written still arrives.
    pub fn finish_writing(&self) {
        // A peer that has already gone is no reason to complain.
        let _ = socket::shutdown(self.raw(), Shutdown::Write);
    }

    /// Waits for bytes, for the shutdown, or for the deadline.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&self, shutdown: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<Ready> {
        loop {
            let mut fds = [
                PollFd::new(self.0.as_fd(), PollFlags::POLLIN),
                PollFd::new(shutdown, PollFlags::POLLIN),
            ];
            match poll(&mut fds, remaining(deadline)) {
                Ok(0) => return Ok(Ready::Deadline),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [_, shutdown] = &fds;
            return Ok(if shutdown.any().unwrap_or(true) {
                Ready::Shutdown
            } else {
                Ready::Peer
            });
        }
    }

    fn raw(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&self.0)
    }
}

/// Rounded up, so that a wait does not spin through the last fraction of a millisecond.
fn remaining(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else {
        return PollTimeout::NONE;
    };
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
    PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for &Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(socket::recv(self.raw(), buffer, MsgFlags::empty())?)
    }
}

impl Write for &Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(socket::send(self.raw(), bytes, MsgFlags::MSG_NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (Peer, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Peer::new(ours.into()), theirs)
    }

    #[test]
    fn a_unix_peer_has_a_user() {
        let (peer, _client) = pair();
        assert_eq!(peer.user().unwrap(), Uid::effective());
    }

    #[test]
    fn a_tcp_peer_is_nobody() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let peer = Peer::new(listener.accept().unwrap().0.into());
        assert_eq!(peer.user().unwrap(), Uid::from_raw(u32::MAX));
    }

    #[test]
    fn bytes_that_wait_end_the_wait() {
        let (peer, mut client) = pair();
        let (shutdown, _hold) = UnixStream::pair().unwrap();
        client.write_all(b"x").unwrap();
        assert_eq!(peer.wait(shutdown.as_fd(), None).unwrap(), Ready::Peer);
    }

    #[test]
    fn a_hang_up_ends_the_wait() {
        let (peer, client) = pair();
        let (shutdown, _hold) = UnixStream::pair().unwrap();
        drop(client);
        assert_eq!(peer.wait(shutdown.as_fd(), None).unwrap(), Ready::Peer);
    }

    #[test]
    fn the_shutdown_comes_before_waiting_bytes() {
        let (peer, mut client) = pair();
        let (shutdown, mut end) = UnixStream::pair().unwrap();
        client.write_all(b"x").unwrap();
        end.write_all(b"x").unwrap();
        assert_eq!(peer.wait(shutdown.as_fd(), None).unwrap(), Ready::Shutdown);
    }

    #[test]
    fn a_deadline_in_the_past_does_not_block() {
        let (peer, _client) = pair();
        let (shutdown, _hold) = UnixStream::pair().unwrap();
        let now = Instant::now();
        assert_eq!(
            peer.wait(shutdown.as_fd(), Some(now)).unwrap(),
            Ready::Deadline
        );
    }
}
