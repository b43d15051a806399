//! The named values that templates and patterns insert: captures, case values, and those always there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ast::Case;

/// The names of the values that are always there. The runner sets all but `null` and `index`,
/// which have a value from the start (`index` is 0 outside `@times`).
pub const ALWAYS_THERE: [&str; 7] = [
    "unique",
    "image",
    "shared",
    "block_device",
    "address",
    "index",
    "null",
];

/// A name that has no value when it is to be inserted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was captured as \"{0}\"")]
pub struct UnknownCapture(pub String);

/// Named values.
#[derive(Debug, Clone, PartialEq)]
pub struct Captures {
    values: BTreeMap<String, Value>,
}

impl Default for Captures {
    fn default() -> Self {
        let values = [("index", Value::from(0)), ("null", Value::Null)];
        Self {
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        }
    }
}

impl Captures {
    /// Captures with nothing but `index` and `null`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a name a value, in place of the one that it had.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.values.insert(name.into(), value.into());
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The value of a name.
    ///
    /// # Errors
    /// The name has none.
    pub fn require(&self, name: &str) -> Result<&Value, UnknownCapture> {
        self.get(name)
            .ok_or_else(|| UnknownCapture(name.to_owned()))
    }

    /// Sets the values of a case. Strings in them may insert the values that are always there, so
    /// set those first.
    ///
    /// # Errors
    /// A string inserts a name that has no value.
    pub fn set_case(&mut self, case: &Case) -> Result<(), UnknownCapture> {
        for (name, value) in &case.values {
            let value = self.filled_in(value)?;
            self.set(name, value);
        }
        Ok(())
    }

    fn filled_in(&self, value: &Value) -> Result<Value, UnknownCapture> {
        match value {
            Value::String(text) => self.filled_in_text(text),
            Value::Array(elements) => elements.iter().map(|one| self.filled_in(one)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(key, one)| Ok((key.clone(), self.filled_in(one)?)))
                .collect(),
            other => Ok(other.clone()),
        }
    }

    fn filled_in_text(&self, text: &str) -> Result<Value, UnknownCapture> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_insertion(rest) {
            let value = self.require(name)?;
            if before.is_empty() && after.is_empty() && filled.is_empty() {
                return Ok(value.clone());
            }
            filled.push_str(before);
            filled.push_str(&text_of(value));
            rest = after;
        }
        filled.push_str(rest);
        Ok(Value::String(filled))
    }
}

/// The text before the first `{{NAME}}` of a case value, the name, and the text after it; only
/// names that are always there count.
fn next_insertion(text: &str) -> Option<(&str, &str, &str)> {
    ALWAYS_THERE
        .iter()
        .filter_map(|name| {
            let written = format!("{{{{{name}}}}}");
            let (before, after) = text.split_once(&written)?;
            Some((before, *name, after))
        })
        .min_by_key(|(before, _, _)| before.len())
}

/// A value as it stands inside a longer text: a string's own text, compact JSON for anything else.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
