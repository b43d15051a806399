//! The monitor's side of the container's standard streams: what it says.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::{Streams, input::Input};
use crate::{monitor::log::Stream, settings::Stdio};

/// The monitor's ends of the container's streams.
pub(super) struct Ends {
    pub(super) sources: Vec<Source>,
    /// For a container that takes input.
    pub(super) input: Option<Input>,
    /// For one with a terminal.
    pub(super) terminal: Option<File>,
}

/// One stream of output, until its end.
pub(super) struct Source {
    pub(super) stream: Stream,
    file: Option<File>,
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

impl Ends {
    /// Pipes, or the promise of a terminal: what the container gets, and what the monitor has.
    pub(super) fn new(stdio: &Stdio) -> io::Result<(Streams, Self)> {
        let mut ends = Self {
            sources: Vec::new(),
            input: None,
            terminal: None,
        };
        if stdio.terminal {
            return Ok((Streams::Terminal, ends));
        }
        let (stdout_read, stdout) = io::pipe()?;
        let (stderr_read, stderr) = io::pipe()?;
        ends.add(Stream::Stdout, OwnedFd::from(stdout_read).into())?;
        ends.add(Stream::Stderr, OwnedFd::from(stderr_read).into())?;
        let stdin = if stdio.interactive {
            let (stdin, stdin_write) = io::pipe()?;
            ends.input = Some(Input::new(without_waiting(
                OwnedFd::from(stdin_write).into(),
            )?));
            Some(stdin.into())
        } else {
            None
        };
        let streams = Streams::Pipes {
            stdin,
            stdout: stdout.into(),
            stderr: stderr.into(),
        };
        Ok((streams, ends))
    }

    /// The terminal is there: this is its master.
    pub(super) fn set_terminal(&mut self, master: OwnedFd, interactive: bool) -> io::Result<()> {
        let master = without_waiting(master.into())?;
        if interactive {
            self.input = Some(Input::new(master.try_clone()?));
        }
        self.terminal = Some(master.try_clone()?);
        self.add(Stream::Stdout, master)
    }

    fn add(&mut self, stream: Stream, file: File) -> io::Result<()> {
        self.sources.push(Source {
            stream,
            file: Some(without_waiting(file)?),
        });
        Ok(())
    }
}

fn without_waiting(file: File) -> io::Result<File> {
    fcntl(file.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(file)
}

impl Source {
    /// What to poll, until the end.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(AsFd::as_fd)
    }

    /// Reads once, without waiting. A terminal that nobody has open any more is an error to its master, and an end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Chunk {
        let Some(file) = &mut self.file else {
            return Chunk::End;
        };
        match file.read(buffer) {
            Ok(0) => {}
            Ok(n) => return Chunk::Bytes(n),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Chunk::Nothing;
            }
            Err(_) => {}
        }
        self.file = None;
        Chunk::End
    }
}
