//! One connection: bytes out, frames in, never longer than the deadline and never beyond the memory cap.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::{
    errno::Errno,
    poll::PollFlags,
    sys::socket::{MsgFlags, Shutdown, recv, send, shutdown},
};

use super::{Deadline, Waited};

/// The longest frame that is read, in bytes; no method of a known interface comes near it.
pub const FRAME_LIMIT: usize = 64 << 20;

const CHUNK: usize = 64 << 10;

/// A connection to an endpoint.
#[derive(Debug)]
pub struct Connection {
    fd: OwnedFd,
    // Bytes received; those before `start` are handed out, none from there to `scanned` is NUL.
    buffer: Vec<u8>,
    start: usize,
    scanned: usize,
    limit: usize,
    closed: bool,
}

/// What came.
#[derive(Debug)]
pub enum Received {
    /// One message, without its NUL.
    Frame(Vec<u8>),
    /// The endpoint closed the connection; with the bytes of an unfinished message.
    Closed(Vec<u8>),
    /// Nothing whole came before the deadline.
    TimedOut,
    /// A message is longer than the cap.
    TooLarge(usize),
    /// The user interrupted the run.
    Interrupted,
    /// The system refused to read.
    Failed(io::Error),
}

impl Received {
    /// What came in the place of a message, as a sentence.
    pub fn why_no_frame(&self) -> String {
        match self {
            Self::Frame(_) => "the endpoint sent a message".to_owned(),
            Self::Closed(leftover) if leftover.is_empty() => {
                "the endpoint closed the connection".to_owned()
            }
            Self::Closed(leftover) => format!(
                "the endpoint closed the connection after {} bytes of an unfinished message",
                leftover.len()
            ),
            Self::TimedOut => "the endpoint did not answer in time".to_owned(),
            Self::TooLarge(limit) => {
                format!(
                    "the endpoint sent more than {} MiB without ending its message",
                    limit >> 20
                )
            }
            Self::Interrupted => "interrupted".to_owned(),
            Self::Failed(error) => format!("cannot receive: {error}"),
        }
    }
}

/// Why bytes could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The endpoint closed the connection.
    #[error("the endpoint closed the connection before it had read everything")]
    Closed,
    /// The endpoint does not read.
    #[error("the endpoint did not read: {sent} of {total} bytes were sent before the deadline")]
    TimedOut {
        /// Bytes that the system took.
        sent: usize,
        /// Bytes to send.
        total: usize,
    },
    /// The user interrupted the run.
    #[error("interrupted")]
    Interrupted,
    /// The system refused to write.
    #[error("cannot send: {0}")]
    Failed(#[source] io::Error),
}

impl Connection {
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            limit: FRAME_LIMIT,
            closed: false,
        }
    }

    /// With another cap on a message than [`FRAME_LIMIT`], in bytes.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// A second handle on the same connection, for another thread; it shares no buffered bytes.
    ///
    /// # Errors
    /// The system has no more file descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.fd.try_clone()?).with_limit(self.limit))
    }

    /// Sends all of `bytes`. What the endpoint sends meanwhile is kept for [`Self::receive`], so
    /// that two sides that both write never wait for each other.
    ///
    /// # Errors
    /// The endpoint closed or does not read, or the system refuses.
    pub fn send(&mut self, bytes: &[u8], deadline: &Deadline<'_>) -> Result<(), SendError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(self.fd.as_raw_fd(), rest, flags) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.wait_to_send(bytes.len(), rest.len(), deadline)?,
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(SendError::Closed),
                Err(error) => return Err(SendError::Failed(error.into())),
            }
        }
        Ok(())
    }

    fn wait_to_send(
        &mut self,
        total: usize,
        left: usize,
        deadline: &Deadline<'_>,
    ) -> Result<(), SendError> {
        let mut events = PollFlags::POLLOUT;
        if !self.closed && self.unread() < self.limit {
            events |= PollFlags::POLLIN;
        }
        match deadline
            .wait(self.fd.as_fd(), events)
            .map_err(SendError::Failed)?
        {
            Waited::TimedOut => Err(SendError::TimedOut {
                sent: total.saturating_sub(left),
                total,
            }),
            Waited::Interrupted => Err(SendError::Interrupted),
            Waited::Ready(ready) if ready.contains(PollFlags::POLLIN) => {
                self.fill().map_err(SendError::Failed)
            }
            Waited::Ready(_) => Ok(()),
        }
    }

    /// Receives one message; a deadline in the past asks once without waiting.
    pub fn receive(&mut self, deadline: &Deadline<'_>) -> Received {
        loop {
            if let Some(frame) = self.take_frame() {
                return Received::Frame(frame);
            }
            if self.unread() > self.limit {
                return Received::TooLarge(self.limit);
            }
            if self.closed {
                let leftover = self.buffer.split_off(self.start);
                (self.start, self.scanned) = (0, 0);
                self.buffer.clear();
                return Received::Closed(leftover);
            }
            match deadline.wait(self.fd.as_fd(), PollFlags::POLLIN) {
                Err(error) => return Received::Failed(error),
                Ok(Waited::TimedOut) => return Received::TimedOut,
                Ok(Waited::Interrupted) => return Received::Interrupted,
                Ok(Waited::Ready(_)) => {
                    if let Err(error) = self.fill() {
                        return Received::Failed(error);
                    }
                }
            }
        }
    }

    fn take_frame(&mut self) -> Option<Vec<u8>> {
        let unseen = self.buffer.get(self.scanned..).unwrap_or_default();
        let Some(found) = unseen.iter().position(|byte| *byte == 0) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned.saturating_add(found);
        let frame = self
            .buffer
            .get(self.start..end)
            .unwrap_or_default()
            .to_vec();
        self.start = end.saturating_add(1);
        self.scanned = self.start;
        self.compact();
        Some(frame)
    }

    /// Moving the rest only once half of the buffer is used up keeps many small frames cheap.
    fn compact(&mut self) {
        if self.start.saturating_mul(2) >= self.buffer.len() {
            self.buffer.drain(..self.start);
            self.scanned = self.scanned.saturating_sub(self.start);
            self.start = 0;
        }
    }

    fn unread(&self) -> usize {
        self.buffer.len().saturating_sub(self.start)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        match recv(self.fd.as_raw_fd(), &mut chunk, MsgFlags::MSG_DONTWAIT) {
            Ok(0) | Err(Errno::ECONNRESET | Errno::EPIPE) => self.closed = true,
            Ok(count) => self
                .buffer
                .extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Closes the sending side; the endpoint can still answer.
    pub fn half_close(&self) {
        // A connection that the endpoint has closed already needs no closing.
        let _ = shutdown(self.fd.as_raw_fd(), Shutdown::Write);
    }

    /// Closes both sides, for every handle.
    pub fn shut_down(&self) {
        let _ = shutdown(self.fd.as_raw_fd(), Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
        time::Duration,
    };

    use super::*;

    fn pair() -> (Connection, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        (Connection::new(near.into()), far)
    }

    fn soon() -> Deadline<'static> {
        Deadline::after(Duration::from_millis(50))
    }

    #[test]
    fn frames_are_cut_at_nul_however_the_bytes_arrive() {
        let (mut near, mut far) = pair();
        far.write_all(b"one\0\0tw").unwrap();
        assert!(matches!(near.receive(&soon()), Received::Frame(frame) if frame == b"one"));
        assert!(matches!(near.receive(&soon()), Received::Frame(frame) if frame.is_empty()));
        assert!(matches!(near.receive(&soon()), Received::TimedOut));
        far.write_all(b"o\0th").unwrap();
        drop(far);
        assert!(matches!(near.receive(&soon()), Received::Frame(frame) if frame == b"two"));
        assert!(matches!(near.receive(&soon()), Received::Closed(rest) if rest == b"th"));
        assert!(matches!(near.receive(&soon()), Received::Closed(rest) if rest.is_empty()));
    }

    #[test]
    fn a_message_beyond_the_cap_is_given_up() {
        let (near, mut far) = pair();
        let mut near = near.with_limit(1000);
        far.write_all(&[b'x'; 2000]).unwrap();
        assert!(matches!(near.receive(&soon()), Received::TooLarge(1000)));
    }

    #[test]
    fn a_peer_that_does_not_read_cannot_hold_a_sender() {
        let (mut near, _far) = pair();
        let sent = near.send(&vec![b'x'; 8 << 20], &soon());
        assert!(matches!(sent, Err(SendError::TimedOut { sent, .. }) if sent < 8 << 20));
    }

    #[test]
    fn both_sides_can_write_more_than_the_system_buffers() {
        let (mut near, mut far) = pair();
        let peer = std::thread::spawn(move || {
            far.write_all(&vec![b'y'; 4 << 20]).unwrap();
            far.write_all(b"\0").unwrap();
            let mut all = Vec::new();
            far.read_to_end(&mut all).unwrap();
            all.len()
        });
        let deadline = Deadline::after(Duration::from_secs(20));
        near.send(&vec![b'x'; 4 << 20], &deadline).unwrap();
        near.half_close();
        assert!(
            matches!(near.receive(&deadline), Received::Frame(frame) if frame.len() == 4 << 20)
        );
        assert_eq!(peer.join().unwrap(), 4 << 20);
    }

    #[test]
    fn a_closed_peer_is_told_from_a_silent_one() {
        let (mut near, far) = pair();
        drop(far);
        assert!(matches!(near.send(b"x", &soon()), Err(SendError::Closed)));
        assert!(matches!(near.receive(&soon()), Received::Closed(_)));
    }
}
