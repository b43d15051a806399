//! What stands between `{{` and `}}`: its words, and the texts around it.

use std::ops::Range;

use super::{excerpt::Excerpt, mistake::Mistake};

/// The most that `{{repeat}}` makes, in bytes: four times the largest message that a service needs to take.
const REPEAT_LIMIT: usize = 64 << 20;

/// A name and its bytes in the file.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// A part of a text with insertions.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Text as it is.
    Text(String),
    /// The words of `{{…}}`.
    Braces(Words),
}

/// The words of one `{{…}}`, to be read in order.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    words: Vec<Word>,
    next: usize,
    /// From `{{` to `}}`, in the excerpt.
    pub(crate) range: Range<usize>,
}

/// One word and its bytes in the excerpt.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) kind: WordKind,
    pub(crate) range: Range<usize>,
}

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum WordKind {
    Name(String),
    Number(String),
    Sign(&'static str),
    Regex(String),
    Quoted(String),
}

const SIGNS: [&str; 8] = ["...", "<=", ">=", "==", "!=", "<", ">", "="];

/// Splits a text at its `{{…}}`.
///
/// # Errors
/// A `{{` without an end, or with something in it that is no word.
pub(crate) fn split(source: &Excerpt) -> Result<Vec<Part>, Mistake> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = find(source, at, "{{") {
        push_text(&mut parts, source, at..open);
        let words = read_words(source, open)?;
        at = words.range.end;
        parts.push(Part::Braces(words));
    }
    push_text(&mut parts, source, at..source.text().len());
    Ok(parts)
}

fn find(source: &Excerpt, from: usize, what: &str) -> Option<usize> {
    let rest = source.text().get(from..)?;
    rest.find(what).map(|at| from + at)
}

fn push_text(parts: &mut Vec<Part>, source: &Excerpt, range: Range<usize>) {
    match source.text().get(range) {
        Some(text) if !text.is_empty() => parts.push(Part::Text(text.to_owned())),
        _ => {}
    }
}

/// Reads the words from a `{{` to its `}}`.
///
/// # Errors
/// It has no end, or something in it is no word.
pub(crate) fn read_words(source: &Excerpt, open: usize) -> Result<Words, Mistake> {
    let mut words = Vec::new();
    let mut at = open + 2;
    loop {
        let rest = source.text().get(at..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let rest = rest.get(blanks..).unwrap_or_default();
        at += blanks;
        if rest.starts_with("}}") {
            let range = open..at + 2;
            return Ok(Words {
                words,
                next: 0,
                range,
            });
        }
        let Some((kind, length)) = word(rest) else {
            return Err(not_a_word(source, open, at, rest));
        };
        let range = at..at + length;
        at = range.end;
        words.push(Word { kind, range });
    }
}

fn not_a_word(source: &Excerpt, open: usize, at: usize, rest: &str) -> Mistake {
    match rest.chars().next() {
        Some('\'') => source
            .mistake(at..at + 1, "a quoted text without an end")
            .expected("expected a closing ' before }}"),
        Some('/') => source
            .mistake(at..at + 1, "a regex without an end")
            .expected("expected /}} at its end"),
        Some(c) if c != '\n' => source
            .mistake(
                at..at + c.len_utf8(),
                format!("unexpected {c:?} in {{{{…}}}}"),
            )
            .expected("expected a matcher, the name of a capture, or }}"),
        _ => source
            .mistake(open..at, "{{ without an end")
            .expected("expected }} behind it, in the same text"),
    }
}

/// The first word of a text and its length.
fn word(rest: &str) -> Option<(WordKind, usize)> {
    if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        return Some((WordKind::Sign(sign), sign.len()));
    }
    match rest.chars().next()? {
        '\'' => {
            let (quoted, _) = rest.get(1..)?.split_once('\'')?;
            Some((WordKind::Quoted(quoted.to_owned()), quoted.len() + 2))
        }
        '/' => {
            let length = regex_length(rest.get(1..)?)?;
            Some((
                WordKind::Regex(rest.get(1..=length)?.to_owned()),
                length + 2,
            ))
        }
        '-' | '0'..='9' => {
            let length = span_of(rest, |c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            let number = rest.get(..length)?;
            serde_json::from_str::<serde_json::Number>(number).ok()?;
            Some((WordKind::Number(number.to_owned()), length))
        }
        c if c.is_ascii_alphabetic() || c == '_' => {
            let length = span_of(rest, |c| c.is_ascii_alphanumeric() || "_-.".contains(c));
            Some((WordKind::Name(rest.get(..length)?.to_owned()), length))
        }
        _ => None,
    }
}

/// The length of a regex: up to the first `/` that only blanks part from `}}`.
fn regex_length(rest: &str) -> Option<usize> {
    rest.match_indices('/').map(|(at, _)| at).find(|at| {
        let after = rest.get(at + 1..).unwrap_or_default();
        after.trim_start_matches(' ').starts_with("}}")
    })
}

fn span_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Whether a text can name a capture.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

impl Words {
    /// The next word, if there is one.
    pub(crate) fn take(&mut self) -> Option<Word> {
        let word = self.words.get(self.next).cloned();
        self.next += 1;
        word
    }

    /// The next word, left in place.
    pub(crate) fn peek(&self) -> Option<&WordKind> {
        self.words.get(self.next).map(|word| &word.kind)
    }

    /// Takes the next word if it is this sign.
    pub(crate) fn take_sign(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(&WordKind::Sign(sign));
        self.next += usize::from(found);
        found
    }

    /// The only word, if it is a name.
    pub(crate) fn only_name(&self) -> Option<&str> {
        match self.words.as_slice() {
            [
                Word {
                    kind: WordKind::Name(name),
                    ..
                },
            ] => Some(name),
            _ => None,
        }
    }

    /// Whether the first word is this name.
    pub(crate) fn starts_with(&self, name: &str) -> bool {
        matches!(self.words.first(), Some(Word { kind: WordKind::Name(first), .. }) if first == name)
    }

    /// Whether this is `{{...}}`.
    pub(crate) fn is_dots(&self) -> bool {
        matches!(
            self.words.as_slice(),
            [Word {
                kind: WordKind::Sign("..."),
                ..
            }]
        )
    }

    /// Nothing must be left.
    ///
    /// # Errors
    /// A word is left.
    pub(crate) fn finish(&mut self, source: &Excerpt) -> Result<(), Mistake> {
        match self.take() {
            None => Ok(()),
            Some(word) => Err(source
                .mistake(word.range, "unexpected words in {{…}}")
                .expected("expected }}")),
        }
    }

    /// Reads `repeat 'TEXT' N` behind its first word: what to repeat and how often.
    ///
    /// # Errors
    /// It is written in another way, or makes too much.
    pub(crate) fn repetition(mut self, source: &Excerpt) -> Result<(String, usize), Mistake> {
        self.next = 1;
        let wrong = source
            .mistake(self.range.clone(), "repeat needs a text and a count")
            .expected("expected {{repeat 'x' 100}}");
        let text = match self.take().map(|word| word.kind) {
            Some(WordKind::Quoted(text) | WordKind::Name(text) | WordKind::Number(text)) => text,
            _ => return Err(wrong),
        };
        let Some(WordKind::Number(count)) = self.take().map(|word| word.kind) else {
            return Err(wrong);
        };
        let Ok(count) = count.parse::<usize>() else {
            return Err(wrong);
        };
        if text.len().saturating_mul(count) > REPEAT_LIMIT {
            let message = format!("repeat makes more than {} MiB", REPEAT_LIMIT >> 20);
            return Err(source.mistake(self.range.clone(), message));
        }
        self.finish(source)?;
        Ok((text, count))
    }

    /// The name of a value to insert, where only that or a repetition can stand.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn name_to_insert(&self, source: &Excerpt) -> Result<Name, Mistake> {
        match self.only_name() {
            Some(name) if is_name(name) => Ok(Name {
                text: name.to_owned(),
                span: source.span(self.range.clone()),
            }),
            _ => Err(source
                .mistake(
                    self.range.clone(),
                    "only a value's name or repeat can stand here",
                )
                .expected("expected {{name}} or {{repeat 'x' 100}}")),
        }
    }
}
