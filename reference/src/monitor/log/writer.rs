//! Writes a log.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use memchr::memchr_iter;
use nix::libc::O_NOFOLLOW;

use super::record::{PREFIX, Stream, TIME};

/// Records are written out once this many bytes wait, so that a chunk of empty lines takes bounded memory.
const FLUSH_AT: usize = 128 << 10;

/// Appends records to a log; one write(2) for each chunk of output, up to [`FLUSH_AT`].
#[derive(Debug)]
pub(in crate::monitor) struct LogWriter {
    /// `None`: nothing is kept.
    file: Option<File>,
    buffer: Vec<u8>,
    /// Per stream: whether its last record was a piece.
    open: [bool; 2],
    error: Option<io::Error>,
    /// Whether the log ends in the midst of a record, the rest of which is lost.
    torn: bool,
}

impl LogWriter {
    /// A log that keeps nothing.
    pub(in crate::monitor) fn none() -> Self {
        Self {
            file: None,
            buffer: Vec::new(),
            open: [false; 2],
            error: None,
            torn: false,
        }
    }

    /// Opens a log for appending, and ends a record that an earlier writer left torn.
    pub(in crate::monitor) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .custom_flags(O_NOFOLLOW)
            .open(path)?;
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self {
            file: Some(file),
            ..Self::none()
        })
    }

    /// Writes a chunk of output. A failure (a full disk) loses output, is kept for [`LogWriter::close`], and does not stop
    /// later chunks: the container must not block on its log.
    pub(in crate::monitor) fn write(&mut self, stream: Stream, chunk: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let prefix = Prefix::now(stream);
        let mut start = 0;
        for end in memchr_iter(b'\n', chunk) {
            self.add(&prefix, b'F', chunk.get(start..end).unwrap_or_default());
            start = end + 1;
        }
        let rest = chunk.get(start..).unwrap_or_default();
        if !rest.is_empty() {
            self.add(&prefix, b'P', rest);
        }
        if !chunk.is_empty() {
            *self.is_open(stream) = !rest.is_empty();
        }
        self.flush();
    }

    /// Ends lines that never ended, and says whether something was lost.
    pub(in crate::monitor) fn close(mut self) -> Option<io::Error> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if *self.is_open(stream) {
                self.add(&Prefix::now(stream), b'F', b"");
            }
        }
        self.flush();
        self.error
    }

    fn add(&mut self, prefix: &Prefix, kind: u8, text: &[u8]) {
        self.buffer.extend_from_slice(&prefix.0);
        self.buffer.extend_from_slice(&[kind, b' ']);
        self.buffer.extend_from_slice(text);
        self.buffer.push(b'\n');
        if self.buffer.len() >= FLUSH_AT {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.write_out() {
            self.error.get_or_insert(error);
        }
        self.buffer.clear();
    }

    fn write_out(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if self.torn {
            file.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = self.buffer.as_slice();
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => {
                    let (written, left) = rest.split_at(length);
                    self.torn = !written.ends_with(b"\n");
                    rest = left;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_open(&mut self, stream: Stream) -> &mut bool {
        let [stdout, stderr] = &mut self.open;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        }
    }
}

/// Time and stream, the same for every record of a chunk.
struct Prefix([u8; PREFIX - 2]);

impl Prefix {
    fn now(stream: Stream) -> Self {
        let mut bytes = [b' '; PREFIX - 2];
        let time = format!("{:.9}", jiff::Timestamp::now());
        let (head, tail) = bytes.split_at_mut(TIME);
        head.iter_mut()
            .zip(time.bytes())
            .for_each(|(to, from)| *to = from);
        tail.iter_mut()
            .skip(1)
            .zip(stream.name())
            .for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::monitor::log::{Batch, LogReader};

    fn read(path: &Path) -> Vec<String> {
        let (mut reader, mut batch) = (LogReader::open(path).unwrap(), Batch::default());
        assert!(reader.closing_batch(&mut batch).unwrap());
        batch.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = LogWriter::open(&path).unwrap();
        log.write(Stream::Stdout, b"one\n\ntw");
        log.write(Stream::Stderr, b"bad \xff\n");
        log.write(Stream::Stdout, b"o\nthree");
        assert_eq!(read(&path), ["one", "", "bad \u{fffd}", "two", "three"]);
        assert!(log.close().is_none());
        assert_eq!(read(&path), ["one", "", "bad \u{fffd}", "two", "three"]);
    }

    #[test]
    fn every_record_has_a_prefix_of_40_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = LogWriter::open(&path).unwrap();
        log.write(Stream::Stdout, b"text\n");
        log.close();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.len(), PREFIX + "text\n".len());
        assert!(text[..TIME].parse::<jiff::Timestamp>().is_ok(), "{text}");
    }

    #[test]
    fn a_torn_record_does_not_spoil_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "2026-01-02T03:04").unwrap();
        let mut log = LogWriter::open(&path).unwrap();
        log.write(Stream::Stdout, b"next\n");
        log.close();
        assert_eq!(read(&path), ["2026-01-02T03:04", "next"]);
    }
}
