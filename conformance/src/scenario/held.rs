//! Strings that hold JSON.

use serde_json::Value;

/// How many words a log may put before a line: a time, a stream, a tag and one to spare.
const MARKS: usize = 4;

/// What may stand around the JSON in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing.
    Alone,
    /// The marks that a log puts before a line.
    Logged,
}

impl Held {
    /// The one that a key's word means.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Alone),
            "logged" => Some(Self::Logged),
            _ => None,
        }
    }

    /// The key that means it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Alone => "{{json}}",
            Self::Logged => "{{logged}}",
        }
    }

    /// What is expected, for people.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Alone => "a string that holds JSON",
            Self::Logged => "a line of a log that holds JSON",
        }
    }

    /// The JSON that a string holds.
    pub(crate) fn json(self, value: &Value) -> Option<Value> {
        let text = value.as_str()?;
        let marks = match self {
            Self::Alone => 0,
            Self::Logged => MARKS,
        };
        let after_marks = text.match_indices(' ').take(marks);
        let starts = std::iter::once(0).chain(after_marks.map(|(space, _)| space + 1));
        starts
            .filter_map(|start| text.get(start..))
            .find_map(|rest| serde_json::from_str(rest).ok())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::alone(Held::Alone, "{\"a\": 1}", Some(json!({"a": 1})))]
    #[case::line_end(Held::Alone, "[true]\n", Some(json!([true])))]
    #[case::alone_means_alone(Held::Alone, "stdout F [true]", None)]
    #[case::plain_line(Held::Logged, "{\"a\": \"b c\"}\n", Some(json!({"a": "b c"})))]
    #[case::marked_line(Held::Logged, "2026-11-24T05:33:51Z stdout F \"a b\"\n", Some(json!("a b")))]
    #[case::more_than_marks(Held::Logged, "one two three four five 6", None)]
    #[case::no_json(Held::Logged, "stdout F ready", None)]
    fn a_string_holds_json(
        #[case] held: Held,
        #[case] text: &str,
        #[case] expected: Option<Value>,
    ) {
        assert_eq!(held.json(&json!(text)), expected);
    }
}
