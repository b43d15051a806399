//! Joins the pieces of lines, per stream.

use super::record::{Record, Stream};

/// A longer line is handed out in parts of at most this size, so that output without newlines takes bounded memory.
pub(super) const LINE_LIMIT: usize = 1 << 20;

/// The lines that have not ended yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Lines {
    /// Appends to `text` the lines that `record` completes, each with a newline.
    pub(super) fn add(&mut self, record: &Record<'_>, text: &mut Vec<u8>) {
        let pending = self.pending(record.stream);
        if record.full && pending.len() + record.text.len() <= LINE_LIMIT {
            text.append(pending);
            text.extend_from_slice(record.text);
            text.push(b'\n');
            return;
        }
        pending.extend_from_slice(record.text);
        while pending.len() > LINE_LIMIT {
            let rest = pending.split_off(character_start(pending, LINE_LIMIT));
            text.append(pending);
            text.push(b'\n');
            *pending = rest;
        }
        if record.full {
            self.end(record.stream, text);
        }
    }

    /// Ends the lines whose end was never written.
    pub(super) fn end_all(&mut self, text: &mut Vec<u8>) {
        self.end(Stream::Stdout, text);
        self.end(Stream::Stderr, text);
    }

    fn end(&mut self, stream: Stream, text: &mut Vec<u8>) {
        let pending = self.pending(stream);
        if !pending.is_empty() {
            text.append(pending);
            text.push(b'\n');
        }
    }

    fn pending(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// The last position up to `limit` at which no UTF-8 character is cut.
fn character_start(bytes: &[u8], limit: usize) -> usize {
    let is_start = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    (limit.saturating_sub(3)..=limit)
        .rev()
        .find(is_start)
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(stream: Stream, full: bool, text: &str) -> Record<'_> {
        Record {
            stream,
            full,
            text: text.as_bytes(),
        }
    }

    #[test]
    fn pieces_are_joined_although_the_other_stream_speaks_in_between() {
        let (mut lines, mut text) = (Lines::default(), Vec::new());
        lines.add(&record(Stream::Stdout, false, "a"), &mut text);
        lines.add(&record(Stream::Stderr, true, "oops"), &mut text);
        lines.add(&record(Stream::Stdout, false, "b"), &mut text);
        lines.add(&record(Stream::Stdout, true, "c"), &mut text);
        assert_eq!(text, b"oops\nabc\n");
    }

    #[test]
    fn an_empty_last_piece_ends_the_line_and_adds_none() {
        let (mut lines, mut text) = (Lines::default(), Vec::new());
        lines.add(&record(Stream::Stdout, false, "a"), &mut text);
        lines.add(&record(Stream::Stdout, true, ""), &mut text);
        lines.end_all(&mut text);
        assert_eq!(text, b"a\n");
    }

    #[test]
    fn a_line_over_the_limit_comes_in_parts_and_no_character_is_cut() {
        let (mut lines, mut text) = (Lines::default(), Vec::new());
        let piece = "ä".repeat(LINE_LIMIT / 2);
        lines.add(&record(Stream::Stdout, false, "x"), &mut text);
        lines.add(&record(Stream::Stdout, false, &piece), &mut text);
        lines.add(&record(Stream::Stdout, true, "end"), &mut text);
        let text = String::from_utf8(text).unwrap();
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [LINE_LIMIT - 1, 5]);
        assert_eq!(text.replace('\n', ""), format!("x{piece}end"));
    }
}
