//! A golden body: its shape as written, and the questions asked of it.

use std::{ops::Range, sync::Arc};

use serde_json::Value;

use super::{ast::SourceFile, captures::Captures, mistake::Mistake};

/// A golden body: JSON with matchers and captures.
#[derive(Debug, Clone)]
pub struct Pattern {}

/// Where a value departs from a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the value: `containers[0].id`, empty for the body itself.
    pub path: String,
    /// A line that stands alone: `member "message" is "ok", expected "OK"`.
    pub message: String,
    /// The golden node's bytes in the scenario file.
    pub span: Range<usize>,
}

impl Pattern {
    /// Reads the golden body that stands at a span of a file.
    ///
    /// # Errors
    /// It is not JSON, or a matcher in it is not one.
    pub fn parse(file: &Arc<SourceFile>, span: Range<usize>) -> Result<Self, Vec<Mistake>> {
        Err(vec![Mistake::new(
            file,
            span,
            "golden bodies cannot be read yet",
        )])
    }

    /// Whether a value meets the pattern; captures are made only if all of it does.
    ///
    /// # Errors
    /// Where it does not, at least one entry.
    pub fn meets(&self, _value: &Value, _captures: &mut Captures) -> Result<(), Vec<Mismatch>> {
        Ok(())
    }

    /// The body as pretty-printed JSON, captures inserted where they have a value, matchers as
    /// written: the expected side of a diff.
    pub fn render(&self, _captures: &Captures) -> String {
        String::new()
    }

    /// The value with its members in the pattern's order, for the other side of the diff.
    pub fn arrange(&self, value: &Value) -> Value {
        value.clone()
    }
}
