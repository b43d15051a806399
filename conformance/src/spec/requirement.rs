//! One requirement of SPEC.md.

use serde::Serialize;

use crate::scenario::ast::Level;

/// A numbered requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Its permanent id, `StopContainer-3`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The sentences that an endpoint keeps or breaks, on one line.
    pub text: String,
    /// Where it comes from.
    pub source: Source,
    /// The heading of the section that it stands in.
    pub section: String,
    /// Its line in SPEC.md, from 1.
    pub line: usize,
}

/// Where a requirement comes from; each with the words as SPEC.md gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "words")]
pub enum Source {
    /// The published description of the interface.
    Api(String),
    /// The varlink protocol's documentation.
    Varlink(String),
    /// The interface definition alone.
    InterfaceDefinition(String),
    /// A decision of SPEC.md, with its reason.
    Ruling(String),
}

impl Source {
    /// Reads what follows `Source: `; nothing if no known kind comes first.
    pub(super) fn parse(text: &str) -> Option<Self> {
        KINDS.into_iter().find_map(|(word, kind)| {
            let words = text.strip_prefix(word)?;
            (words.is_empty() || words.starts_with([' ', ',', ';', '.'])).then_some(())?;
            Some(kind(words.trim_start_matches([' ', '—']).to_owned()))
        })
    }
}

/// The word that a source begins with, and what it makes of the rest.
type SourceKind = (&'static str, fn(String) -> Source);

const KINDS: [SourceKind; 4] = [
    ("API.md", Source::Api),
    ("varlink", Source::Varlink),
    ("interface definition", Source::InterfaceDefinition),
    ("ruling", Source::Ruling),
];

/// The level of this name.
pub(super) fn level_of(name: &str) -> Option<Level> {
    [Level::Must, Level::Should, Level::May]
        .into_iter()
        .find(|level| level.to_string() == name)
}
