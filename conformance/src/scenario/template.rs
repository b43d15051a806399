//! Text to send, with insertions.

use super::{
    captures::{Captures, UnknownCapture, text_of},
    excerpt::Excerpt,
    insertion::{Name, Part, Words, split},
    json::{Json, Kind, Member},
    mistake::Mistake,
};

/// Text with `{{…}}` insertions: what a call's method and parameters or a raw line send.
#[derive(Debug, Clone, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, many times.
    Repeat(Vec<u8>, usize),
    /// The value of this name.
    Insert(Name, Style),
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
                    bytes.extend(style.write(captures.require(&name.text)?).into_bytes());
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
    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Insert(name, _) => Some(name),
            Piece::Bytes(_) | Piece::Repeat(..) => None,
        })
    }

    /// The text itself, if it needs no value.
    pub(crate) fn constant(&self) -> Option<String> {
        let needs_none = self.names().next().is_none();
        needs_none.then(|| self.render_text(&Captures::new()).unwrap_or_default())
    }

    /// Reads a text with insertions.
    ///
    /// # Errors
    /// What stands in `{{…}}` is not the name of a value or a repetition.
    pub(crate) fn read_text(source: &Excerpt) -> Result<Self, Mistake> {
        let mut pieces = Vec::new();
        push_text(&mut pieces, source, Style::Text)?;
        Ok(Self::of(pieces))
    }

    /// Compact JSON from JSON with insertions.
    ///
    /// # Errors
    /// As [`Template::read_text`].
    pub(crate) fn read_json(json: &Json) -> Result<Self, Mistake> {
        let mut pieces = Vec::new();
        push_json(&mut pieces, json)?;
        Ok(Self::of(pieces))
    }
}

/// The piece that the words of one `{{…}}` stand for.
///
/// # Errors
/// They are not the name of a value or a repetition.
pub(crate) fn read_piece(words: Words, source: &Excerpt, style: Style) -> Result<Piece, Mistake> {
    if !words.starts_with("repeat") {
        return Ok(Piece::Insert(words.name_to_insert(source)?, style));
    }
    let (text, count) = words.repetition(source)?;
    let text = match style {
        Style::Text => text,
        Style::JsonText | Style::Json => json_escaped(&text),
    };
    Ok(Piece::Repeat(text.into_bytes(), count))
}

fn push_text(pieces: &mut Vec<Piece>, source: &Excerpt, style: Style) -> Result<(), Mistake> {
    for part in split(source)? {
        pieces.push(match part {
            Part::Text(text) if style == Style::Text => Piece::Bytes(text.into_bytes()),
            Part::Text(text) => Piece::Bytes(json_escaped(&text).into_bytes()),
            Part::Braces(words) => read_piece(words, source, style)?,
        });
    }
    Ok(())
}

fn push_json(pieces: &mut Vec<Piece>, json: &Json) -> Result<(), Mistake> {
    match &json.kind {
        Kind::Null => push(pieces, "null"),
        Kind::Bool(value) => push(pieces, &value.to_string()),
        Kind::Number(written) => push(pieces, written),
        Kind::Text(text) => push_json_text(pieces, text)?,
        Kind::Array(elements) => {
            push(pieces, "[");
            for (index, element) in elements.iter().enumerate() {
                push(pieces, if index == 0 { "" } else { "," });
                push_json(pieces, element)?;
            }
            push(pieces, "]");
        }
        Kind::Object(members) => push_members(pieces, members)?,
    }
    Ok(())
}

fn push_members(pieces: &mut Vec<Piece>, members: &[Member]) -> Result<(), Mistake> {
    push(pieces, "{");
    for (index, member) in members.iter().enumerate() {
        push(pieces, if index == 0 { "\"" } else { ",\"" });
        push_text(pieces, &member.key, Style::JsonText)?;
        push(pieces, "\":");
        push_json(pieces, &member.value)?;
    }
    push(pieces, "}");
    Ok(())
}

/// A string of JSON; a value that stands alone in it keeps its type.
fn push_json_text(pieces: &mut Vec<Piece>, text: &Excerpt) -> Result<(), Mistake> {
    if let [Part::Braces(words)] = split(text)?.as_slice()
        && !words.starts_with("repeat")
    {
        pieces.push(read_piece(words.clone(), text, Style::Json)?);
        return Ok(());
    }
    push(pieces, "\"");
    push_text(pieces, text, Style::JsonText)?;
    push(pieces, "\"");
    Ok(())
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Bytes(bytes)) => bytes.extend_from_slice(text.as_bytes()),
        _ => pieces.push(Piece::Bytes(text.into())),
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
