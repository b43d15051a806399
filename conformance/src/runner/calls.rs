//! The calls on a connection that still wait for their reply, in order.

use std::collections::VecDeque;

use serde_json::Value;

/// What was sent on a connection and is not answered yet.
#[derive(Debug, Default)]
pub(super) struct Calls {
    waiting: VecDeque<String>,
    // The beginning of a message that later writes may complete.
    unfinished: Vec<u8>,
}

impl Calls {
    /// Takes note of bytes that were sent, whole messages or parts of some.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == 0) {
            let (message, after) = rest.split_at(end);
            self.unfinished.extend_from_slice(message);
            let message = std::mem::take(&mut self.unfinished);
            self.message(&message);
            rest = after.get(1..).unwrap_or_default();
        }
        self.unfinished.extend_from_slice(rest);
    }

    fn message(&mut self, message: &[u8]) {
        // A message that is no call may be answered too, with an error of no method.
        let call: Value = serde_json::from_slice(message).unwrap_or_default();
        if call.get("oneway") != Some(&Value::Bool(true)) {
            let method = call
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.waiting.push_back(method.to_owned());
        }
    }

    /// The method that a reply belongs to; the last reply of a call ends its wait.
    pub(super) fn answered(&mut self, continues: bool) -> Option<String> {
        if continues {
            self.waiting.front().cloned()
        } else {
            self.waiting.pop_front()
        }
    }

    /// Whether every call is answered, so that any further message is one too many.
    pub(super) fn all_answered(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_belong_to_the_calls_in_order_and_oneway_calls_have_none() {
        let mut calls = Calls::default();
        calls.sent(b"{\"method\":\"a.A\"}\0{\"method\":\"a.B\",\"oneway\":true}\0junk\0{\"meth");
        calls.sent(b"od\":\"a.C\",\"more\":true}\0");
        assert_eq!(calls.answered(false).as_deref(), Some("a.A"));
        assert_eq!(calls.answered(false).as_deref(), Some(""));
        assert_eq!(calls.answered(true).as_deref(), Some("a.C"));
        assert!(!calls.all_answered());
        assert_eq!(calls.answered(false).as_deref(), Some("a.C"));
        assert!(calls.all_answered());
        assert_eq!(calls.answered(false), None);
    }
}
