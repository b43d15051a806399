//! The attach socket: copies of the output for whoever connects, and their input.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        socket::{
            AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind, listen,
            recv, send, socket,
        },
        stat::Mode,
    },
};

use super::input::Input;
use crate::{monitor::log::Stream, sys::fd::owned};

/// Output in one message, besides the byte that names its stream.
const MESSAGE: usize = 8192;
/// Attached at once; more are refused.
const CLIENTS: usize = 64;

/// The listening socket and its clients.
pub(super) struct Attach {
    listener: OwnedFd,
    clients: Vec<Client>,
}

struct Client {
    socket: OwnedFd,
    /// It may send further input.
    sends: bool,
    /// It may read further output.
    hears: bool,
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

    /// What to poll. While input waits for the container, nobody is asked for more.
    pub(super) fn fds(&self, input: Option<&Input>) -> impl Iterator<Item = PollFd<'_>> {
        let full = input.is_some_and(Input::is_full);
        let clients = self.clients.iter().filter_map(move |client| {
            let events = match (client.sends, full) {
                (true, true) => return None,
                (true, false) => PollFlags::POLLIN,
                // Its hang-up is told without being asked for.
                (false, _) => PollFlags::empty(),
            };
            Some(PollFd::new(client.socket.as_fd(), events))
        });
        std::iter::once(PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)).chain(clients)
    }

    /// Accepts who waits, passes on what clients send, and drops who has left. Without `input` what they send is thrown away.
    pub(super) fn serve(&mut self, mut input: Option<&mut Input>) {
        for client in &mut self.clients {
            client.serve(input.as_deref_mut());
        }
        self.clients.retain(|client| client.sends || client.hears);
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        while let Ok(socket) = accept4(self.listener.as_raw_fd(), flags) {
            let socket = owned(socket);
            if self.clients.len() < CLIENTS {
                self.clients.push(Client {
                    socket,
                    sends: true,
                    hears: true,
                });
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
            self.clients.retain_mut(|client| client.hear(&message));
        }
    }
}

impl Client {
    fn serve(&mut self, mut input: Option<&mut Input>) {
        let mut packet = Vec::new();
        while self.sends && !input.as_deref().is_some_and(Input::is_full) {
            match self.receive(&mut packet) {
                Ok(0) => self.sends = false,
                Ok(_) => {
                    if let Some(input) = input.as_deref_mut() {
                        input.put(&packet);
                    }
                }
                Err(Errno::EAGAIN | Errno::EINTR) => return,
                Err(_) => (self.sends, self.hears) = (false, false),
            }
        }
        if !self.sends && self.is_gone() {
            self.hears = false;
        }
    }

    /// One packet, however long; 0 once it sends no more.
    fn receive(&self, packet: &mut Vec<u8>) -> nix::Result<usize> {
        let socket = self.socket.as_raw_fd();
        let length = recv(socket, &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
        packet.resize(length, 0);
        recv(socket, packet, MsgFlags::empty())
    }

    /// Whether both directions are closed.
    fn is_gone(&self) -> bool {
        let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::ZERO) {
            Ok(found) => found > 0,
            Err(error) => error != Errno::EINTR,
        }
    }

    /// Whether it stays.
    fn hear(&mut self, message: &[u8]) -> bool {
        if !self.hears {
            return true;
        }
        match send(self.socket.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL) {
            Ok(_) => true,
            // It has left, but what it sent before is still to be read.
            Err(Errno::EPIPE | Errno::ECONNRESET) => {
                self.hears = false;
                self.sends
            }
            Err(_) => false,
        }
    }
}
