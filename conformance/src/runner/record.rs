//! What a scenario leaves behind: its transcript, and what the check of every reply found.

use std::{collections::BTreeSet, time::Instant};

use serde_json::Value;

use super::calls::Calls;
use crate::{
    endpoint::{Received, Reply},
    event::{Direction, Exchanged, Finding},
    idl::{Definitions, Departure},
};

/// Characters of a message that are kept, in bytes.
const KEPT_TEXT: usize = 4 << 10;

/// Lines of a transcript that are kept; an endpoint that floods must not fill the memory.
const KEPT_LINES: usize = 1000;

/// The record of one scenario.
pub(super) struct Record<'r> {
    definitions: &'r Definitions,
    started: Instant,
    transcript: Vec<Exchanged>,
    left_out: usize,
    seen: BTreeSet<(String, String)>,
    /// What the check of every reply found and what fails the scenario.
    pub(super) fatal: Vec<Finding>,
    /// What the check found and what counts for the whole run.
    pub(super) collected: Vec<Departure>,
}

/// What came, and when.
#[derive(Debug)]
pub(super) struct Observed {
    /// The moment.
    pub(super) at: Instant,
    /// What.
    pub(super) what: Observation,
}

/// What came, read.
#[derive(Debug)]
pub(super) enum Observation {
    /// A JSON object; with its size in bytes.
    Message(Value, usize),
    /// No message: junk, the end of the connection, too much, or a fault on this side; as a sentence.
    Junk(String),
    /// The endpoint closed the connection; with the number of bytes of an unfinished message.
    Closed(usize),
    /// Nothing before the deadline.
    Nothing,
    /// The user interrupted the run.
    Interrupted,
    /// The fault lies on this side.
    Broken(String),
}

impl<'r> Record<'r> {
    pub(super) fn new(definitions: &'r Definitions, started: Instant) -> Self {
        Self {
            definitions,
            started,
            transcript: Vec::new(),
            left_out: 0,
            seen: BTreeSet::new(),
            fatal: Vec::new(),
            collected: Vec::new(),
        }
    }

    /// Writes a line of the transcript.
    pub(super) fn line(&mut self, connection: &str, direction: Direction, bytes: &[u8]) {
        self.line_at(Instant::now(), connection, direction, bytes);
    }

    /// Writes a note into the transcript.
    pub(super) fn note(&mut self, connection: &str, text: &str) {
        self.line(connection, Direction::Note, text.as_bytes());
    }

    fn line_at(&mut self, at: Instant, connection: &str, direction: Direction, bytes: &[u8]) {
        if self.transcript.len() >= KEPT_LINES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.transcript.push(Exchanged {
            at: at.saturating_duration_since(self.started),
            connection: connection.to_owned(),
            direction,
            text: readable(bytes),
        });
    }

    /// How long the transcript is; for [`Self::forget`].
    pub(super) fn length(&self) -> usize {
        self.transcript.len()
    }

    /// Drops what was written since `length`: only the last of many attempts is worth reading.
    pub(super) fn forget(&mut self, length: usize) {
        self.transcript.truncate(length);
    }

    /// The transcript.
    pub(super) fn take_transcript(&mut self) -> Vec<Exchanged> {
        let mut lines = std::mem::take(&mut self.transcript);
        if self.left_out > 0 {
            lines.push(Exchanged {
                at: self.started.elapsed(),
                connection: String::new(),
                direction: Direction::Note,
                text: format!("{} further lines are not kept", self.left_out),
            });
        }
        lines
    }

    /// Records what came on a connection, reads it, and holds it against the interface definition.
    pub(super) fn observe(
        &mut self,
        connection: &str,
        calls: &mut Calls,
        at: Instant,
        received: Received,
    ) -> Observed {
        let what = match received {
            Received::Frame(frame) => {
                self.line_at(at, connection, Direction::Received, &frame);
                self.message(calls, &frame)
            }
            Received::Closed(leftover) => {
                self.line_at(at, connection, Direction::Closed, &leftover);
                Observation::Closed(leftover.len())
            }
            Received::TimedOut => Observation::Nothing,
            Received::Interrupted => Observation::Interrupted,
            Received::Failed(_) => Observation::Broken(received.why_no_frame()),
            Received::TooLarge(_) => {
                self.line_at(
                    at,
                    connection,
                    Direction::Note,
                    received.why_no_frame().as_bytes(),
                );
                Observation::Junk(received.why_no_frame())
            }
        };
        Observed { at, what }
    }

    fn message(&mut self, calls: &mut Calls, frame: &[u8]) -> Observation {
        let message = match serde_json::from_slice::<Value>(frame) {
            Ok(message @ Value::Object(_)) => message,
            Ok(_) => return Observation::Junk("the message is not a JSON object".to_owned()),
            Err(error) => return Observation::Junk(format!("the message is not JSON: {error}")),
        };
        if let Some(method) = calls.answered(Reply::of(&message).continues) {
            self.check(&method, &message);
        }
        Observation::Message(message, frame.len())
    }

    fn check(&mut self, method: &str, message: &Value) {
        for departure in self.definitions.check(method, message) {
            if !departure.is_fatal() {
                self.collected.push(departure);
            } else if self
                .seen
                .insert((departure.place.clone(), departure.message.clone()))
            {
                self.fatal.push(Finding {
                    message: format!("in the reply of {}, {}", short(method), departure.message),
                    place: None,
                    diff: None,
                    requirements: vec![departure.requirement().to_owned()],
                });
            }
        }
    }
}

fn short(method: &str) -> &str {
    method.rsplit_once('.').map_or(method, |(_, short)| short)
}

/// Bytes as text: invalid UTF-8 and control characters escaped, cut where it is too long.
fn readable(bytes: &[u8]) -> String {
    let kept = bytes.get(..KEPT_TEXT).unwrap_or(bytes);
    let mut text = String::new();
    for chunk in kept.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\0' => text.push_str("\\0"),
                letter if letter.is_control() => text.extend(letter.escape_default()),
                letter => text.push(letter),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if bytes.len() > kept.len() {
        text.push_str(&format!("… ({} bytes in all)", bytes.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"{\"x\": \"\xc3\xa9\"}\0", "{\"x\": \"é\"}\\0")]
    #[case(b"\xff\x1b[31m\n", "\\xff\\u{1b}[31m\\n")]
    fn bytes_are_shown_without_harm_to_a_terminal(#[case] bytes: &[u8], #[case] shown: &str) {
        assert_eq!(readable(bytes), shown);
    }

    #[test]
    fn a_long_message_is_cut_with_its_length() {
        let shown = readable(&vec![b'x'; 10_000]);
        assert!(shown.len() < 5_000);
        assert!(shown.ends_with("x… (10000 bytes in all)"));
    }

    #[test]
    fn a_flood_does_not_fill_the_memory() {
        let definitions = Definitions::default();
        let mut record = Record::new(&definitions, Instant::now());
        for _ in 0..KEPT_LINES + 5 {
            record.note("main", "x");
        }
        let lines = record.take_transcript();
        assert_eq!(lines.len(), KEPT_LINES + 1);
        assert_eq!(lines.last().unwrap().text, "5 further lines are not kept");
    }
}
