//! A string of a form: text around matchers and captures, such as `"sha256:{{id}}"`.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    captures::text_of,
    excerpt::Excerpt,
    insertion::{Name, Part},
    matcher::{Matcher, Names},
    mistake::Mistake,
};

/// The compiled size that a form may have; a repeated text is long but simple.
const REGEX_LIMIT: usize = 256 << 20;

/// Text with captures and matchers in it.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    parts: Vec<FormPart>,
    /// As written, JSON's escapes resolved.
    pub(crate) written: String,
}

/// A part of a form.
#[derive(Debug, Clone)]
pub(crate) enum FormPart {
    Text(String),
    Insert(Name),
    Match(Matcher),
}

impl Form {
    /// Reads the parts of a string. For a key, matchers are mistakes.
    ///
    /// # Errors
    /// Something in it is no matcher, or none that can stand inside a text.
    pub(crate) fn read(parts: Vec<Part>, source: &Excerpt, is_key: bool) -> Result<Self, Mistake> {
        let parts = parts
            .into_iter()
            .map(|part| FormPart::read(part, source, is_key));
        let form = Self {
            parts: parts.collect::<Result<_, _>>()?,
            written: source.text().to_owned(),
        };
        // Each regex was fine alone; together they may share the names of groups.
        match form.is_plain() || form.regex(&NoNames).is_some() {
            true => Ok(form),
            false => Err(Mistake::new(
                source.file(),
                source.whole(),
                "the regexes of this text do not go together",
            )),
        }
    }

    /// Whether it holds no matcher.
    fn is_plain(&self) -> bool {
        !self
            .parts
            .iter()
            .any(|part| matches!(part, FormPart::Match(_)))
    }

    /// The text itself, if it needs no capture.
    pub(crate) fn literal(&self) -> Option<String> {
        let text = self.parts.iter().map(|part| match part {
            FormPart::Text(text) => Some(text.as_str()),
            FormPart::Insert(_) | FormPart::Match(_) => None,
        });
        text.collect()
    }

    /// The text with captures inserted, matchers left out; of a plain form, its whole text.
    pub(crate) fn plain_text(&self, names: &dyn Names) -> String {
        let parts = self.parts.iter().map(|part| match part {
            FormPart::Text(text) => text.clone(),
            FormPart::Insert(name) => names.value(&name.text).map(text_of).unwrap_or_default(),
            FormPart::Match(_) => String::new(),
        });
        parts.collect()
    }

    /// The text as written, but with the captures that have a value inserted.
    pub(crate) fn with_captures(&self, names: &dyn Names) -> String {
        let mut written = self.written.clone();
        for part in &self.parts {
            if let FormPart::Insert(name) = part
                && let Some(value) = names.value(&name.text)
            {
                written = written.replace(&format!("{{{{{}}}}}", name.text), &text_of(value));
            }
        }
        written
    }

    /// What a text of this form captures; `None` if the text is not of this form.
    pub(crate) fn meets(&self, text: &str, names: &dyn Names) -> Option<Vec<(String, Value)>> {
        if self.is_plain() {
            return (self.plain_text(names) == text).then(Vec::new);
        }
        let regex = self.regex(names)?;
        let groups = regex.captures(text)?;
        let mut made = Vec::new();
        for (index, matcher) in self.matchers().enumerate() {
            let found = matcher.value_of(groups.name(&group(index))?.as_str());
            if matches!(found, Value::Number(_)) && !matcher.accepts(&found, names) {
                return None;
            }
            if let Matcher::Capture(name, _) = matcher {
                made.push((name.text.clone(), found));
            }
        }
        Some(made)
    }

    fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        self.parts.iter().filter_map(|part| match part {
            FormPart::Match(matcher) => Some(matcher),
            FormPart::Text(_) | FormPart::Insert(_) => None,
        })
    }

    fn regex(&self, names: &dyn Names) -> Option<Regex> {
        let mut written = String::from(r"\A");
        let mut index = 0;
        for part in &self.parts {
            match part {
                FormPart::Text(text) => written.push_str(&regex::escape(text)),
                FormPart::Insert(name) => {
                    let value = names.value(&name.text).map(text_of);
                    written.push_str(&regex::escape(&value.unwrap_or_default()));
                }
                FormPart::Match(matcher) => {
                    let inside = matcher.inside_text().unwrap_or_default();
                    written.push_str(&format!("(?<{}>{inside})", group(index)));
                    index += 1;
                }
            }
        }
        written.push_str(r"\z");
        RegexBuilder::new(&written)
            .size_limit(REGEX_LIMIT)
            .build()
            .ok()
    }

    /// Calls back for every name, as [`Matcher::visit`].
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Name, bool)) {
        for part in &self.parts {
            match part {
                FormPart::Text(_) => {}
                FormPart::Insert(name) => visit(name, false),
                FormPart::Match(matcher) => matcher.visit(visit),
            }
        }
    }
}

fn group(index: usize) -> String {
    format!("_part{index}")
}

struct NoNames;

impl Names for NoNames {
    fn value(&self, _: &str) -> Option<&Value> {
        None
    }
}

impl FormPart {
    fn read(part: Part, source: &Excerpt, is_key: bool) -> Result<Self, Mistake> {
        let words = match part {
            Part::Text(text) => return Ok(Self::Text(text)),
            Part::Braces(words) => words,
        };
        if words.starts_with("repeat") {
            let (text, count) = words.repetition(source)?;
            return Ok(Self::Text(text.repeat(count)));
        }
        let range = words.range.clone();
        match Matcher::read(words, source)? {
            Matcher::Same(name) => Ok(Self::Insert(name)),
            _ if is_key => Err(source
                .mistake(range, "a key cannot be a matcher")
                .expected("expected a name, {{optional K}}, {{json}} or {{logged}}")),
            matcher if matcher.inside_text().is_none() => {
                Err(source.mistake(range, "this matcher cannot stand inside a longer text"))
            }
            matcher => Ok(Self::Match(matcher)),
        }
    }
}
