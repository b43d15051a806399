//! The attach socket: copies of the output for whoever connects.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    sys::{
        socket::{
            AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind, listen,
            recv, send, socket,
        },
        stat::Mode,
    },
};

use crate::{monitor::log::Stream, sys::fd::owned};

/// Output in one message, besides the byte that names its stream.
const MESSAGE: usize = 8192;
/// Attached at once; more are refused.
const CLIENTS: usize = 64;

/// The listening socket and its clients.
pub(super) struct Attach {
    listener: OwnedFd,
    clients: Vec<OwnedFd>,
}

impl Attach {
    /// Listens on `attach` in the run directory, whose path may be longer than a socket address.
    pub(super) fn listen(run: &Path) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let listener = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None)?;
        let directory = owned(open(run, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?);
        let short = format!("/proc/self/fd/{}/attach", directory.as_raw_fd());
        // Left by an earlier run.
        let _ = std::fs::remove_file(run.join("attach"));
        bind(listener.as_raw_fd(), &UnixAddr::new(short.as_str())?)?;
        listen(&listener, Backlog::new(16)?)?;
        Ok(Self {
            listener,
            clients: Vec::new(),
        })
    }

    /// What to poll.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(&self.listener)
            .chain(&self.clients)
            .map(AsFd::as_fd)
    }

    /// Accepts who waits, and drops who has left. What clients send is read and thrown away: there is no standard input yet.
    pub(super) fn serve(&mut self) {
        let mut buffer = [0; MESSAGE];
        self.clients.retain(|client| {
            match recv(client.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(read) => read > 0,
                Err(error) => matches!(error, Errno::EAGAIN | Errno::EINTR),
            }
        });
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        while let Ok(client) = accept4(self.listener.as_raw_fd(), flags) {
            let client = owned(client);
            if self.clients.len() < CLIENTS {
                self.clients.push(client);
            }
        }
    }

    /// Sends output to every client. One that does not read is hung up on: the container must not wait for it.
    pub(super) fn send(&mut self, stream: Stream, chunk: &[u8]) {
        if self.clients.is_empty() {
            return;
        }
        let mut message = Vec::with_capacity(MESSAGE + 1);
        for part in chunk.chunks(MESSAGE) {
            message.clear();
            message.push(match stream {
                Stream::Stdout => 2,
                Stream::Stderr => 3,
            });
            message.extend_from_slice(part);
            let sent = |client: &mut OwnedFd| {
                send(client.as_raw_fd(), &message, MsgFlags::MSG_NOSIGNAL).is_ok()
            };
            self.clients.retain_mut(sent);
        }
    }
}
