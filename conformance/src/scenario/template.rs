//! Text to send, with insertions.

use super::captures::{Captures, UnknownCapture, text_of};

/// Text with `{{…}}` insertions: what a call's method and parameters or a raw line send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, many times.
    Repeat(Vec<u8>, usize),
    /// The value of this name.
    Insert(String, Style),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Its text.
    Text,
    /// Its text, escaped for the inside of a JSON string.
    JsonText,
    /// JSON.
    Json,
}

impl Template {
    /// A template without insertions.
    pub fn literal(text: impl Into<String>) -> Self {
        Self::of(vec![Piece::Bytes(text.into().into_bytes())])
    }

    pub(crate) fn of(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// The bytes, captures inserted.
    ///
    /// # Errors
    /// A name to insert has no value.
    pub fn render(&self, captures: &Captures) -> Result<Vec<u8>, UnknownCapture> {
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(literal) => bytes.extend_from_slice(literal),
                Piece::Repeat(literal, count) => bytes.extend(literal.repeat(*count)),
                Piece::Insert(name, style) => {
                    bytes.extend(style.write(captures.require(name)?).into_bytes());
                }
            }
        }
        Ok(bytes)
    }

    /// The same as text; bytes that are not UTF-8 (only a raw line has such) become U+FFFD.
    ///
    /// # Errors
    /// A name to insert has no value.
    pub fn render_text(&self, captures: &Captures) -> Result<String, UnknownCapture> {
        let bytes = self.render(captures)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names that it inserts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Insert(name, _) => Some(name.as_str()),
            Piece::Bytes(_) | Piece::Repeat(..) => None,
        })
    }
}

impl Style {
    fn write(self, value: &serde_json::Value) -> String {
        match self {
            Self::Text => text_of(value),
            Self::JsonText => json_escaped(&text_of(value)),
            Self::Json => value.to_string(),
        }
    }
}

/// A text as it stands between the quotes of a JSON string.
pub(crate) fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .get(1..quoted.len() - 1)
        .unwrap_or_default()
        .to_owned()
}
