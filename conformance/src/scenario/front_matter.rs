//! The front matter of a scenario: TOML between two `---` lines.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use toml::{
    Spanned as TomlSpanned,
    de::{DeTable, DeValue},
};

use super::{
    ast::{Case, Level, Need, SourceFile, Spanned},
    case_table,
    duration::{self, read_duration},
    insertion::Name,
    mistake::Mistake,
};

/// What the front matter says.
#[derive(Debug)]
pub(crate) struct FrontMatter {
    pub(crate) id: Spanned<String>,
    pub(crate) was: Vec<String>,
    pub(crate) level: Level,
    pub(crate) covers: Vec<Spanned<String>>,
    pub(crate) needs: Vec<Need>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cases: Vec<Case>,
    /// The names of the values that cases have.
    pub(crate) case_values: Vec<Name>,
}

const KEYS: [&str; 7] = ["id", "was", "level", "covers", "needs", "timeout", "cases"];

/// Reads the front matter at a span of a file, which holds it without its `---` lines.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read(
    file: &Arc<SourceFile>,
    span: Range<usize>,
) -> Result<FrontMatter, Vec<Mistake>> {
    let table = match DeTable::parse(file.excerpt(&span)) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let at = error.span().unwrap_or(0..0);
            let at = span.start + at.start..span.start + at.end;
            let message = format!("the front matter is not TOML: {}", error.message());
            return Err(vec![Mistake::new(file, at, message)]);
        }
    };
    let mut reader = Reader {
        file,
        start: span.start,
        whole: span,
        mistakes: Vec::new(),
    };
    let front_matter = reader.front_matter(&table);
    match (front_matter, reader.mistakes) {
        (Some(front_matter), mistakes) if mistakes.is_empty() => Ok(front_matter),
        (_, mistakes) => Err(mistakes),
    }
}

/// A value of the front matter and its place.
pub(crate) type Entry<'a> = TomlSpanned<DeValue<'a>>;

/// Reads the table and notes mistakes.
pub(crate) struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    start: usize,
    whole: Range<usize>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn front_matter(&mut self, table: &DeTable<'_>) -> Option<FrontMatter> {
        for (key, _) in table {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown key {:?}", key.get_ref());
                self.mistake(
                    key.span(),
                    message,
                    format!("expected one of {}", KEYS.join(", ")),
                );
            }
        }
        let id = self.id(table);
        let level = self
            .required(table, "level")
            .and_then(|entry| self.level(entry));
        let covers = self.covers(table);
        let (cases, case_values) = case_table::read(self, table.get("cases"));
        Some(FrontMatter {
            was: self
                .texts(table.get("was"))
                .into_iter()
                .map(|text| text.node)
                .collect(),
            needs: self.needs(table.get("needs")),
            timeout: table.get("timeout").and_then(|entry| self.timeout(entry)),
            cases,
            case_values,
            id: id?,
            level: level?,
            covers: covers?,
        })
    }

    /// The bytes in the file of a span of the TOML.
    pub(crate) fn span(&self, span: Range<usize>) -> Range<usize> {
        self.start + span.start..self.start + span.end
    }

    /// Notes a mistake at a span of the TOML.
    pub(crate) fn mistake(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let span = self.span(span);
        self.mistakes
            .push(Mistake::new(self.file, span, message).expected(expected));
    }

    fn required<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Option<&'t Entry<'i>> {
        let found = table.get(key);
        if found.is_none() {
            // The caret stands at the end, where the key would be added.
            let at = self.whole.end.saturating_sub(1).max(self.whole.start);
            let mistake = Mistake::new(self.file, at..at, format!("the front matter has no {key}"));
            self.mistakes
                .push(mistake.expected(format!("expected {key} = …")));
        }
        found
    }

    /// A string.
    pub(crate) fn text(&mut self, entry: &Entry<'_>) -> Option<Spanned<String>> {
        let DeValue::String(text) = entry.get_ref() else {
            let message = format!("a {} where a string belongs", entry.get_ref().type_str());
            self.mistake(entry.span(), message, "expected a string");
            return None;
        };
        Some(Spanned {
            node: text.to_string(),
            file: Arc::clone(self.file),
            span: self.span(entry.span()),
        })
    }

    fn texts(&mut self, entry: Option<&Entry<'_>>) -> Vec<Spanned<String>> {
        let Some(entry) = entry else {
            return Vec::new();
        };
        let DeValue::Array(elements) = entry.get_ref() else {
            let message = format!("a {} where an array belongs", entry.get_ref().type_str());
            self.mistake(entry.span(), message, "expected an array of strings");
            return Vec::new();
        };
        elements
            .iter()
            .filter_map(|element| self.text(element))
            .collect()
    }

    fn id(&mut self, table: &DeTable<'_>) -> Option<Spanned<String>> {
        let entry = self.required(table, "id")?;
        let id = self.text(entry)?;
        let place = place(self.file);
        if id.node != place {
            let message = format!("the id {:?} is not the file's place", id.node);
            self.mistake(entry.span(), message, format!("expected {place:?}"));
        }
        Some(id)
    }

    fn level(&mut self, entry: &Entry<'_>) -> Option<Level> {
        let text = self.text(entry)?;
        match text.node.as_str() {
            "must" => Some(Level::Must),
            "should" => Some(Level::Should),
            "may" => Some(Level::May),
            other => {
                let message = format!("unknown level {other:?}");
                self.mistake(
                    entry.span(),
                    message,
                    "expected \"must\", \"should\" or \"may\"",
                );
                None
            }
        }
    }

    fn covers(&mut self, table: &DeTable<'_>) -> Option<Vec<Spanned<String>>> {
        let entry = self.required(table, "covers")?;
        let covers = self.texts(Some(entry));
        if matches!(entry.get_ref(), DeValue::Array(elements) if elements.is_empty()) {
            self.mistake(
                entry.span(),
                "the scenario covers nothing",
                "expected at least one requirement id of SPEC.md",
            );
        }
        for text in &covers {
            if !is_requirement(&text.node) {
                let message = format!("{:?} is not a requirement id", text.node);
                let mistake = Mistake::new(self.file, text.span.clone(), message);
                self.mistakes
                    .push(mistake.expected("expected an id such as \"Ping-1\""));
            }
        }
        Some(covers)
    }

    fn needs(&mut self, entry: Option<&Entry<'_>>) -> Vec<Need> {
        let texts = self.texts(entry);
        texts
            .into_iter()
            .filter_map(|text| self.need(&text))
            .collect()
    }

    fn need(&mut self, text: &Spanned<String>) -> Option<Need> {
        let need = match text.node.as_str() {
            "image" => Some(Need::Image),
            "shared-dir" => Some(Need::SharedDir),
            "exclusive" => Some(Need::Exclusive),
            "registry" => Some(Need::Registry),
            "block-device" => Some(Need::BlockDevice),
            "local" => Some(Need::Local),
            other => other
                .strip_prefix("interface:")
                .filter(|name| !name.is_empty())
                .map(|name| Need::Interface(name.to_owned())),
        };
        if need.is_none() {
            let message = format!("unknown need {:?}", text.node);
            let mistake = Mistake::new(self.file, text.span.clone(), message);
            self.mistakes.push(mistake.expected(
                "expected image, shared-dir, exclusive, registry, block-device, local or interface:NAME",
            ));
        }
        need
    }

    fn timeout(&mut self, entry: &Entry<'_>) -> Option<Duration> {
        let text = self.text(entry)?;
        let duration = read_duration(&text.node).filter(|duration| !duration.is_zero());
        if duration.is_none() {
            self.mistake(
                entry.span(),
                format!("{:?} is not a timeout", text.node),
                duration::FORM,
            );
        }
        duration
    }
}

/// The id that a file's place gives it: its last folder and its name.
fn place(file: &SourceFile) -> String {
    let folder = file.path.parent().and_then(|folder| folder.file_name());
    let folder = folder.unwrap_or_default().to_string_lossy();
    let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
    format!("{folder}/{stem}")
}

/// `Topic-7`.
fn is_requirement(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(topic, number)| {
        topic.starts_with(|c: char| c.is_ascii_alphabetic())
            && topic
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// The values of a row, by name.
pub(crate) type Values = BTreeMap<String, serde_json::Value>;
