//! Reads a log: takes the prefixes off and joins the pieces of lines.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use memchr::memchr_iter;

use super::{
    Batch,
    lines::{LINE_LIMIT, Lines},
    record::{PREFIX, Record},
};
use crate::monitor::MonitorError;

/// A batch is handed out once it holds this much text. Large enough for speed, small beside the 16 MiB of a message.
const BATCH_TEXT: usize = 1 << 20;
/// How much is read at once.
const READ_SIZE: u64 = 256 << 10;

/// Reads a log from its beginning; holds at most a few MiB, however long the log and its lines are.
#[derive(Debug)]
pub struct LogReader {
    path: PathBuf,
    /// `None`: there was no log.
    file: Option<File>,
    /// Bytes still to be read; `u64::MAX` without an end.
    left: u64,
    /// Bytes read and not yet parsed; after a parse, at most the start of one record.
    buffer: Vec<u8>,
    lines: Lines,
}

impl LogReader {
    /// Reads what is there now and not what is written later. A log that does not exist is empty.
    ///
    /// # Errors
    /// If the log cannot be opened.
    pub fn open(path: &Path) -> Result<Self, MonitorError> {
        let mut reader = Self::open_endless(path)?;
        if let Some(file) = &reader.file {
            reader.left = file
                .metadata()
                .map_err(MonitorError::file("read", path))?
                .len();
        }
        Ok(reader)
    }

    /// Reads also what is written later.
    pub(super) fn open_endless(path: &Path) -> Result<Self, MonitorError> {
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(MonitorError::file("read", path)(error)),
        };
        let path = path.to_owned();
        Ok(Self {
            path,
            file,
            left: u64::MAX,
            buffer: Vec::new(),
            lines: Lines::default(),
        })
    }

    /// Skips to `offset` in bytes, which must be the beginning of a record, such as the log's length before a start.
    /// Call it before the first batch.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), MonitorError> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(offset))
                .map_err(MonitorError::file("read", &self.path))?;
            if self.left != u64::MAX {
                self.left = self.left.saturating_sub(offset);
            }
        }
        Ok(())
    }

    /// Fills `batch` with the next lines; `false` if no further line has ended so far.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, MonitorError> {
        let mut text = batch.take();
        while text.len() < BATCH_TEXT
            && self
                .read()
                .map_err(MonitorError::file("read", &self.path))?
        {
            self.parse(&mut text);
        }
        batch.put(text);
        Ok(!batch.is_empty())
    }

    /// Fills `batch` with what is left once [`LogReader::next_batch`] has no more: lines whose end is not written.
    /// Says whether there were any.
    pub fn rest(&mut self, batch: &mut Batch) -> bool {
        let mut text = batch.take();
        // A record that is not written to its end counts once its prefix is there.
        if self.buffer.len() >= PREFIX {
            self.lines.add(&Record::parse(&self.buffer), &mut text);
            self.buffer.clear();
        }
        self.lines.end_all(&mut text);
        batch.put(text);
        !batch.is_empty()
    }

    /// Reads one chunk behind what is in the buffer; `false` at the end.
    fn read(&mut self) -> io::Result<bool> {
        let Some(file) = &mut self.file else {
            return Ok(false);
        };
        let read = file
            .take(READ_SIZE.min(self.left))
            .read_to_end(&mut self.buffer)?;
        if self.left != u64::MAX {
            self.left = self
                .left
                .saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
        }
        Ok(read > 0)
    }

    fn parse(&mut self, text: &mut Vec<u8>) {
        let mut start = 0;
        for end in memchr_iter(b'\n', &self.buffer) {
            let line = self.buffer.get(start..end).unwrap_or_default();
            self.lines.add(&Record::parse(line), text);
            start = end + 1;
        }
        self.buffer.drain(..start);
        if self.buffer.len() > LINE_LIMIT {
            // No monitor writes such a record; the log is damaged.
            self.lines.add(
                &Record {
                    full: false,
                    ..Record::parse(&self.buffer)
                },
                text,
            );
            self.buffer.clear();
        }
    }
}
