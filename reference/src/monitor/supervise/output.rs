//! The monitor's side of the container's standard streams.

use std::{
    io::{self, ErrorKind, PipeReader, Read},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::Output;
use crate::monitor::log::Stream;

/// The read ends of the container's output.
pub(super) struct Pipes {
    pub(super) stdout: Source,
    pub(super) stderr: Source,
}

/// One stream of output, until its end.
pub(super) struct Source {
    pub(super) stream: Stream,
    pipe: Option<PipeReader>,
}

/// What one read gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// Every writer is gone.
    End,
}

/// Two pipes: what the container writes to, what the monitor reads from.
pub(super) fn pipes() -> io::Result<(Output, Pipes)> {
    let (stdout_read, stdout) = io::pipe()?;
    let (stderr_read, stderr) = io::pipe()?;
    let read = Pipes {
        stdout: Source::new(Stream::Stdout, stdout_read)?,
        stderr: Source::new(Stream::Stderr, stderr_read)?,
    };
    Ok((
        Output {
            stdout: stdout.into(),
            stderr: stderr.into(),
        },
        read,
    ))
}

impl Pipes {
    /// What to poll.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.stdout, &self.stderr]
            .into_iter()
            .filter_map(Source::fd)
    }
}

impl Source {
    fn new(stream: Stream, pipe: PipeReader) -> io::Result<Self> {
        fcntl(pipe.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            stream,
            pipe: Some(pipe),
        })
    }

    /// What to poll, until the end.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads once, without waiting.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Chunk {
        let Some(pipe) = &mut self.pipe else {
            return Chunk::End;
        };
        match pipe.read(buffer) {
            Ok(0) => {}
            Ok(n) => return Chunk::Bytes(n),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Chunk::Nothing;
            }
            Err(_) => {}
        }
        self.pipe = None;
        Chunk::End
    }
}
