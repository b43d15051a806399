//! Cuts a stream of bytes into messages: JSON text, each ended by a NUL.

use std::{
    io::{self, Read},
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use crate::sys::peer::{Peer, Ready};

/// The longest message, its NUL not counted: what a Create with long lists needs a hundred times over.
pub const MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// How long a message may take from its first byte to its NUL. Between messages a client may be silent for ever.
pub const MESSAGE_TIME: Duration = Duration::from_secs(10);
/// What a connection holds while it is idle; a thousand of them cost 8 MiB.
const IDLE_BYTES: usize = 8 * 1024;

/// The messages of one connection.
#[derive(Debug)]
pub(crate) struct Frames {
    /// Read bytes are `buffer[start..end]`; none of `buffer[start..scanned]` is a NUL.
    buffer: Vec<u8>,
    start: usize,
    scanned: usize,
    end: usize,
    /// When the message at `start` must be complete.
    deadline: Option<Instant>,
}

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("a message is longer than {MESSAGE_BYTES} bytes")]
    TooLong,
    #[error("a message took longer than {} s", MESSAGE_TIME.as_secs())]
    Stalled,
    #[error("the daemon shuts down")]
    Shutdown,
    #[error("the client closed the connection")]
    Closed,
    #[error("receiving failed")]
    Failed(#[from] io::Error),
}

impl Frames {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; IDLE_BYTES],
            start: 0,
            scanned: 0,
            end: 0,
            deadline: None,
        }
    }

    /// The next message, without its NUL; waits for it.
    pub(crate) fn next(&mut self, peer: &Peer, shutdown: BorrowedFd<'_>) -> Result<&[u8], Ended> {
        let (start, end) = loop {
            if let Some(range) = self.complete() {
                break range;
            }
            self.make_room()?;
            if self.end > 0 {
                self.deadline
                    .get_or_insert_with(|| Instant::now() + MESSAGE_TIME);
            }
            match peer.wait(shutdown, self.deadline)? {
                Ready::Peer => self.fill(peer)?,
                Ready::Shutdown => return Err(Ended::Shutdown),
                Ready::Deadline => return Err(Ended::Stalled),
            }
        };
        Ok(self.buffer.get(start..end).unwrap_or_default())
    }

    /// Takes the first message out of what was read, if it is complete.
    fn complete(&mut self) -> Option<(usize, usize)> {
        let unseen = self.buffer.get(self.scanned..self.end).unwrap_or_default();
        let Some(length) = unseen.iter().position(|byte| *byte == 0) else {
            self.scanned = self.end;
            return None;
        };
        let message = (self.start, self.scanned + length);
        self.start = message.1 + 1;
        self.scanned = self.start;
        self.deadline = None;
        Some(message)
    }

    /// Moves what is left to the front, and grows or shrinks to what it needs.
    fn make_room(&mut self) -> Result<(), Ended> {
        let held = self.end - self.start;
        if held > MESSAGE_BYTES {
            return Err(Ended::TooLong);
        }
        if held == 0 && self.buffer.len() > IDLE_BYTES {
            self.buffer = vec![0; IDLE_BYTES];
        } else if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
        }
        (self.start, self.scanned, self.end) = (0, held, held);
        if held == self.buffer.len() {
            let doubled = (held * 2).min(MESSAGE_BYTES + 1);
            self.buffer.reserve_exact(doubled - held);
            self.buffer.resize(doubled, 0);
        }
        Ok(())
    }

    fn fill(&mut self, peer: &Peer) -> Result<(), Ended> {
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let mut source = peer;
        match source.read(room) {
            Ok(0) => return Err(Ended::Closed),
            Ok(count) => self.end += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Ended::Failed(error)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        os::{fd::AsFd, unix::net::UnixStream},
        thread,
    };

    use super::*;

    struct Wire {
        frames: Frames,
        peer: Peer,
        client: UnixStream,
        shutdown: (UnixStream, UnixStream),
    }

    impl Wire {
        fn new() -> Self {
            let (ours, client) = UnixStream::pair().unwrap();
            let peer = Peer::new(ours.into());
            Self {
                frames: Frames::new(),
                peer,
                client,
                shutdown: UnixStream::pair().unwrap(),
            }
        }

        fn next(&mut self) -> Result<Vec<u8>, Ended> {
            self.frames
                .next(&self.peer, self.shutdown.0.as_fd())
                .map(<[u8]>::to_vec)
        }
    }

    #[test]
    fn messages_in_one_write_come_one_by_one() {
        let mut wire = Wire::new();
        wire.client.write_all(b"one\0\0three\0").unwrap();
        let got: Vec<_> = (0..3).map(|_| wire.next().unwrap()).collect();
        assert_eq!(got, [&b"one"[..], b"", b"three"]);
    }

    #[test]
    fn a_message_in_pieces_comes_whole() {
        let mut wire = Wire::new();
        let mut client = wire.client.try_clone().unwrap();
        let writer = thread::spawn(move || {
            for byte in b"slow\0" {
                client.write_all(&[*byte]).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        assert_eq!(wire.next().unwrap(), b"slow");
        writer.join().unwrap();
    }

    fn send_long(length: usize) -> (Wire, Result<Vec<u8>, Ended>) {
        let mut wire = Wire::new();
        let mut client = wire.client.try_clone().unwrap();
        let writer = thread::spawn(move || {
            let _ = client.write_all(&vec![b' '; length]);
            let _ = client.write_all(b"\0next\0");
        });
        let got = wire.next();
        if got.is_err() {
            wire.peer = Peer::new(UnixStream::pair().unwrap().0.into());
        }
        writer.join().unwrap();
        (wire, got)
    }

    #[test]
    fn the_longest_message_is_taken_and_its_memory_given_back() {
        let (mut wire, got) = send_long(MESSAGE_BYTES);
        assert_eq!(got.unwrap().len(), MESSAGE_BYTES);
        assert_eq!(wire.next().unwrap(), b"next");
        drop(wire.client);
        wire.client = UnixStream::pair().unwrap().0;
        assert!(matches!(wire.next(), Err(Ended::Closed)));
        assert_eq!(wire.frames.buffer.len(), IDLE_BYTES);
    }

    #[test]
    fn one_byte_more_is_too_long() {
        let (_, got) = send_long(MESSAGE_BYTES + 1);
        assert!(matches!(got, Err(Ended::TooLong)));
    }

    #[test]
    fn a_message_that_stops_halfway_is_stalled() {
        let mut wire = Wire::new();
        wire.client.write_all(b"half").unwrap();
        wire.frames.deadline = Some(Instant::now());
        assert!(matches!(wire.next(), Err(Ended::Stalled)));
    }

    #[test]
    fn the_deadline_runs_from_the_first_byte_of_each_message() {
        let mut wire = Wire::new();
        wire.client.write_all(b"one\0ha").unwrap();
        wire.next().unwrap();
        assert_eq!(wire.frames.deadline, None);
        wire.shutdown.1.write_all(b"x").unwrap();
        assert!(matches!(wire.next(), Err(Ended::Shutdown)));
        assert!(wire.frames.deadline.is_some());
    }

    #[test]
    fn half_a_message_and_a_hang_up_is_the_end() {
        let mut wire = Wire::new();
        wire.client.write_all(b"half").unwrap();
        wire.client = UnixStream::pair().unwrap().0;
        assert!(matches!(wire.next(), Err(Ended::Closed)));
    }
}
