//! Findings: a departure with its place in the scenario file and the two sides of its diff.

use serde_json::Value;

use super::record::{Observation, Observed};
use crate::{
    endpoint::Reply,
    event::{Diff, Finding, Place},
    scenario::{
        ast::{Expected, Spanned},
        captures::Captures,
        mismatch::Mismatch,
        pattern::Pattern,
        template::Template,
    },
};

/// What made a step fail.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// What went wrong.
    pub(super) findings: Vec<Finding>,
    /// It was that no answer came.
    pub(super) timed_out: bool,
}

impl Loss {
    pub(super) fn of(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
            timed_out: false,
        }
    }
}

/// A finding without a place.
pub(super) fn plain(message: impl Into<String>) -> Finding {
    Finding {
        message: message.into(),
        place: None,
        diff: None,
        requirements: Vec::new(),
    }
}

/// A finding at a node of the scenario file.
pub(super) fn at<T>(node: &Spanned<T>, message: impl Into<String>, label: &str) -> Finding {
    Finding {
        place: Some(place(node, node.span.clone(), label)),
        ..plain(message)
    }
}

fn place<T>(node: &Spanned<T>, span: std::ops::Range<usize>, label: &str) -> Place {
    let (line, column) = node.file.position(span.start);
    Place {
        path: node.file.path.clone(),
        line,
        column,
        label: label.to_owned(),
        file: node.file.clone(),
        span,
    }
}

impl Observed {
    /// Whether anything came at all.
    pub(super) fn is_something(&self) -> bool {
        !matches!(self.what, Observation::Nothing)
    }
}

impl Observation {
    /// What came in the place of something else, as a sentence.
    pub(super) fn instead_of(&self, expected: &str) -> String {
        match self {
            Self::Message(message, _) => format!("{} came, expected {expected}", name(message)),
            Self::Junk(why) | Self::Broken(why) => format!("{why}; expected {expected}"),
            Self::Closed(0) => format!("the endpoint closed the connection, expected {expected}"),
            Self::Closed(bytes) => format!(
                "the endpoint closed the connection after {bytes} bytes of an unfinished message, expected {expected}"
            ),
            Self::Nothing => format!("nothing came in time, expected {expected}"),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }
}

fn name(message: &Value) -> String {
    match Reply::of(message).error {
        Some(error) => format!("the error {error}"),
        None => "a reply".to_owned(),
    }
}

/// How a message departs from an expected one; captures are made if it does not.
pub(super) fn departures(
    expected: &Spanned<Expected>,
    message: &Value,
    captures: &mut Captures,
) -> Vec<Finding> {
    let reply = Reply::of(message);
    match &expected.node {
        Expected::Message(pattern) => against(expected, pattern, message, captures),
        Expected::Reply(pattern) => match &reply.error {
            Some(_) => vec![unexpected_error(expected, pattern, &reply, captures)],
            None => against(expected, pattern, &reply.parameters, captures),
        },
        Expected::Error { name, parameters } => match wrong_error(name, &reply, captures) {
            Some(finding) => vec![finding],
            None => parameters.as_ref().map_or_else(Vec::new, |pattern| {
                against(expected, pattern, &reply.parameters, captures)
            }),
        },
        Expected::Closed | Expected::Silent(_) => Vec::new(),
    }
}

fn unexpected_error(
    expected: &Spanned<Expected>,
    pattern: &Pattern,
    reply: &Reply,
    captures: &Captures,
) -> Finding {
    let error = reply.error.as_deref().unwrap_or_default();
    let message = format!("the call failed with {error}, expected a reply");
    let diff = Diff {
        expected: pattern.render(captures),
        actual: message_of(reply),
    };
    Finding {
        diff: Some(diff),
        ..at(expected, message, "a reply is expected here")
    }
}

fn wrong_error(name: &Spanned<Template>, reply: &Reply, captures: &Captures) -> Option<Finding> {
    let wanted = match name.node.render_text(captures) {
        Ok(wanted) => wanted,
        Err(unknown) => return Some(at(name, unknown.to_string(), "this name")),
    };
    let what = match reply.error.as_deref() {
        Some(error) if error == wanted => return None,
        Some(error) => format!("failed with {error}"),
        None => "succeeded".to_owned(),
    };
    let message = format!("the call {what}, expected the error {wanted}");
    let diff = Diff {
        expected: format!("! {wanted}"),
        actual: message_of(reply),
    };
    Some(Finding {
        diff: Some(diff),
        ..at(name, message, "this error is expected")
    })
}

fn against(
    expected: &Spanned<Expected>,
    pattern: &Pattern,
    value: &Value,
    captures: &mut Captures,
) -> Vec<Finding> {
    let Err(mismatches) = pattern.meets(value, captures) else {
        return Vec::new();
    };
    let finding = |mismatch: Mismatch| Finding {
        place: Some(place(
            expected,
            mismatch.span,
            "the answer departs from this",
        )),
        ..plain(mismatch.message)
    };
    let mut findings: Vec<Finding> = mismatches.into_iter().map(finding).collect();
    if let Some(first) = findings.first_mut().filter(|_| is_readable(value)) {
        let (expected, actual) = pattern.diff(value, captures);
        first.diff = Some(Diff { expected, actual });
    }
    findings
}

fn message_of(reply: &Reply) -> String {
    let body = match is_readable(&reply.parameters) {
        true => pretty(&reply.parameters),
        false => "(too long to be shown)".to_owned(),
    };
    match &reply.error {
        Some(error) => format!("! {error}\n{body}"),
        None => body,
    }
}

/// Whether a diff of it helps anybody; the diff of a flood would take for ever.
fn is_readable(value: &Value) -> bool {
    const LONGEST: usize = 64 << 10;
    value.to_string().len() <= LONGEST
}

/// JSON over several lines.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
