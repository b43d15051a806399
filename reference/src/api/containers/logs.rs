//! GetContainerLogs: all at once, or as a stream.

use std::ops::ControlFlow;

use crate::{
    api::{errors, generated::podman::Call_GetContainerLogs, interface::Session},
    engine::LogBatch,
};

type Sent = varlink::Result<()>;

/// With `more`, lines come in batches while the container runs; the reply that ends the stream holds what was read after its end.
pub(crate) fn get(
    session: &Session,
    call: &mut dyn Call_GetContainerLogs,
    name: Option<String>,
) -> Sent {
    let name = name.unwrap_or_default();
    if call.wants_more() {
        follow(session, call, &name)
    } else {
        all(session, call, &name)
    }
}

fn all(session: &Session, call: &mut dyn Call_GetContainerLogs, name: &str) -> Sent {
    let mut reply = LogReply::begin(call);
    let last = session
        .engine
        .container_logs(name, false, session.caller.cancel(), &mut |batch| {
            reply.add(batch);
            ControlFlow::Continue(())
        });
    match last {
        Ok(last) => {
            reply.add(&last);
            reply.send(call)
        }
        Err(error) => errors::reply(call, error),
    }
}

fn follow(session: &Session, call: &mut dyn Call_GetContainerLogs, name: &str) -> Sent {
    let mut sent = Ok(());
    call.set_continues(true);
    let last = session
        .engine
        .container_logs(name, true, session.caller.cancel(), &mut |batch| {
            sent = LogReply::of(call, batch);
            if sent.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
    call.set_continues(false);
    sent?;
    match last {
        Ok(last) => LogReply::of(call, &last),
        Err(error) => errors::reply(call, error),
    }
}

/// A reply that grows by batches of lines. It holds the text to be sent and not the lines: a log may have millions.
struct LogReply {
    text: Vec<u8>,
    begun: bool,
}

impl LogReply {
    fn begin(call: &dyn Call_GetContainerLogs) -> Self {
        let mut text = call.begin();
        text.extend_from_slice(br#"{"container":["#);
        Self { text, begun: false }
    }

    /// Sends one batch.
    fn of(call: &mut dyn Call_GetContainerLogs, batch: &LogBatch) -> Sent {
        let mut reply = Self::begin(call);
        reply.add(batch);
        reply.send(call)
    }

    fn add(&mut self, batch: &LogBatch) {
        for line in batch.lines() {
            if std::mem::replace(&mut self.begun, true) {
                self.text.push(b',');
            }
            put(&mut self.text, line);
        }
    }

    fn send(mut self, call: &mut dyn Call_GetContainerLogs) -> Sent {
        self.text.extend_from_slice(b"]}");
        call.send(self.text)
    }
}

/// Writes a line as JSON. Most have nothing to escape, which many bytes at a time are looked at for.
fn put(text: &mut Vec<u8>, line: &str) {
    // Without an early end, so that it can be done so.
    let escaped = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    if line.bytes().fold(false, |any, byte| any | escaped(byte)) {
        // A vector takes everything.
        let _ = serde_json::to_writer(text, line);
    } else {
        text.reserve(line.len() + 2);
        text.push(b'"');
        text.extend_from_slice(line.as_bytes());
        text.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::empty("")]
    #[case::plain("a line / of \u{7f} and ü\u{2028}\u{1f980}")]
    #[case::quotes("he said \"no\"")]
    #[case::backslash("C:\\")]
    #[case::tabulator("a\tb")]
    #[case::control_characters("\u{1b}[31m\u{0}\u{1f}")]
    #[case::last("a line of more than sixteen bytes, and then \r")]
    fn a_line_is_written_as_json(#[case] line: &str) {
        let mut text = Vec::new();
        put(&mut text, line);
        assert_eq!(text, serde_json::to_vec(line).unwrap());
    }
}
