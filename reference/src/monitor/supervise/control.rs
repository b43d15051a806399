//! The control FIFO: messages to the monitor, one a line.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::OpenOptionsExt,
    },
    path::Path,
};

use nix::{errno::Errno, libc::O_NONBLOCK, sys::stat::Mode, unistd::mkfifo};
use rustix::termios::{Winsize, tcsetwinsize};

/// A longer message is none.
const MESSAGE_LIMIT: usize = 4096;

/// The FIFO's reading end.
pub(super) struct Control {
    fifo: File,
    pending: Vec<u8>,
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// `1 ROWS COLS`: the terminal's size.
    Resize {
        /// Lines.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
}

impl Control {
    /// Makes the FIFO if need be. Opened for both ways, so that it does not end when a writer leaves.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        match mkfifo(path, Mode::from_bits_truncate(0o600)) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let fifo = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(O_NONBLOCK)
            .open(path)?;
        Ok(Self {
            fifo,
            pending: Vec::new(),
        })
    }

    /// Reads what is there and carries it out. Without a terminal a size has no effect.
    pub(super) fn serve(&mut self, terminal: Option<&File>) {
        let mut buffer = [0; MESSAGE_LIMIT];
        if let Ok(read) = self.fifo.read(&mut buffer) {
            self.pending
                .extend_from_slice(buffer.get(..read).unwrap_or_default());
        }
        while let Some(end) = memchr::memchr(b'\n', &self.pending) {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            if let (Some(Message::Resize { rows, columns }), Some(terminal)) =
                (Message::parse(&String::from_utf8_lossy(&line)), terminal)
            {
                resize(terminal, rows, columns);
            }
        }
        if self.pending.len() > MESSAGE_LIMIT {
            self.pending.clear();
        }
    }
}

/// A size that the terminal does not take has nobody to be told to.
fn resize(terminal: &File, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let _ = tcsetwinsize(terminal, size);
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

impl Message {
    /// `None` if it is none of ours.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (kind, rows, columns) = (words.next()?, words.next()?, words.next()?);
        if kind != "1" || words.next().is_some() {
            return None;
        }
        Some(Self::Resize {
            rows: rows.parse().ok()?,
            columns: columns.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1 40 120\n", Some((40, 120)))]
    #[case("2 40 120", None)]
    #[case("1 40", None)]
    #[case("1 40 120 9", None)]
    #[case("1 -1 120", None)]
    fn a_resize_is_read_and_nothing_else(#[case] line: &str, #[case] size: Option<(u16, u16)>) {
        let expected = size.map(|(rows, columns)| Message::Resize { rows, columns });
        assert_eq!(Message::parse(line), expected);
    }
}
