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
        self.fill(&mut text)?;
        batch.put(text);
        Ok(!batch.is_empty())
    }

    /// As [`LogReader::next_batch`], for a log that does not grow any more. Says whether this was the last batch, which holds
    /// also the lines whose end is not written, and may be empty.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn closing_batch(&mut self, batch: &mut Batch) -> Result<bool, MonitorError> {
        let mut text = batch.take();
        let last = self.fill(&mut text)?;
        if last {
            // A record that is not written to its end counts once its prefix is there.
            if self.buffer.len() >= PREFIX {
                self.lines.add(&Record::parse(&self.buffer), &mut text);
                self.buffer.clear();
            }
            self.lines.end_all(&mut text);
        }
        batch.put(text);
        Ok(last)
    }

    /// Adds lines to `text` until it is large enough or, which it says, the log's end is reached.
    fn fill(&mut self, text: &mut Vec<u8>) -> Result<bool, MonitorError> {
        while text.len() < BATCH_TEXT {
            let read = self.read();
            let at_end = read.map_err(MonitorError::file("read", &self.path))?;
            self.parse(text);
            if at_end {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads one chunk behind what is in the buffer; says whether there is nothing behind it.
    fn read(&mut self) -> io::Result<bool> {
        let Some(file) = &mut self.file else {
            return Ok(true);
        };
        let wanted = READ_SIZE.min(self.left);
        let read = file.take(wanted).read_to_end(&mut self.buffer)?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        if self.left != u64::MAX {
            self.left = self.left.saturating_sub(read);
        }
        Ok(read < wanted || self.left == 0)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use rstest::rstest;

    use super::*;

    const TIME: &str = "2020-01-01T00:00:00.000000000Z";

    fn log(lines: &[String]) -> String {
        let record = |line: &String| format!("{TIME} stdout F {line}\n");
        lines.iter().map(record).collect()
    }

    /// The batches of a log that does not grow, and the last one.
    fn batches(mut reader: LogReader) -> (Vec<String>, String) {
        let (mut batch, mut all) = (Batch::default(), Vec::new());
        while !reader.closing_batch(&mut batch).unwrap() {
            all.push(batch.text().to_owned());
        }
        (all, batch.text().to_owned())
    }

    #[rstest]
    #[case::none(0)]
    #[case::one(1)]
    #[case::a_read(4)]
    #[case::a_batch(15)]
    #[case::a_batch_and_more(17)]
    #[case::several_batches(50)]
    fn the_last_batch_holds_the_last_lines_whatever_the_size(#[case] lines: usize) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        // Long ones, so that neither reads nor batches end with a line.
        let lines: Vec<String> = (0..lines)
            .map(|n| format!("{n:02}").repeat(35_000))
            .collect();
        fs::write(&path, log(&lines)).unwrap();
        for reader in [LogReader::open(&path), LogReader::open_endless(&path)] {
            let (before, last) = batches(reader.unwrap());
            let all: String = before.iter().map(String::as_str).chain([&*last]).collect();
            assert!(all.lines().eq(&lines));
            assert_eq!(last.is_empty(), lines.is_empty());
            assert!(before.iter().all(|batch| batch.len() >= BATCH_TEXT));
        }
    }

    #[test]
    fn a_log_that_is_not_there_is_empty() {
        let home = tempfile::tempdir().unwrap();
        let reader = LogReader::open(&home.path().join("log")).unwrap();
        assert_eq!(batches(reader), (Vec::new(), String::new()));
    }

    #[test]
    fn what_is_written_later_is_read_when_it_is_there() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        let whole = log(&["one".to_owned(), "two".to_owned()]);
        let (first, rest) = whole.split_at(whole.len() - 2);
        fs::write(&path, first).unwrap();
        let mut reader = LogReader::open_endless(&path).unwrap();
        let mut batch = Batch::default();
        assert!(reader.next_batch(&mut batch).unwrap());
        assert_eq!(batch.text(), "one\n");
        assert!(!reader.next_batch(&mut batch).unwrap());
        fs::write(&path, format!("{first}{rest}")).unwrap();
        assert!(reader.next_batch(&mut batch).unwrap());
        assert_eq!(batch.text(), "two\n");
    }
}
