//! `{{definition of NAME}}`: the text of an interface definition, held against the suite's own.

use std::sync::LazyLock;

use serde_json::Value;

use super::{
    excerpt::Excerpt,
    insertion::{WordKind, Words},
    mistake::Mistake,
};
use crate::idl::{Definitions, Interface};

static OWN: LazyLock<Option<Definitions>> = LazyLock::new(|| Definitions::built_in().ok());

/// How many departures are told; the rest is counted.
const TOLD: usize = 5;

/// What a definition must define.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    own: &'static Interface,
    /// It may define more.
    open: bool,
}

impl Definition {
    /// Reads `of NAME` or `extending NAME`.
    ///
    /// # Errors
    /// It is written in another way, or the suite has no interface of that name.
    pub(crate) fn read(words: &mut Words, source: &Excerpt) -> Result<Self, Mistake> {
        let wrong = source
            .mistake(words.range.clone(), "not a definition to compare with")
            .expected("expected {{definition of NAME}} or {{definition extending NAME}}");
        let open = match words.take().map(|word| word.kind) {
            Some(WordKind::Name(how)) if how == "of" => false,
            Some(WordKind::Name(how)) if how == "extending" => true,
            _ => return Err(wrong),
        };
        let Some(word) = words.take() else {
            return Err(wrong);
        };
        let WordKind::Name(name) = word.kind else {
            return Err(wrong);
        };
        let own = OWN.as_ref().and_then(|definitions| definitions.get(&name));
        match own {
            Some(own) => Ok(Self { own, open }),
            None => {
                let names = OWN.iter().flat_map(Definitions::names).collect::<Vec<_>>();
                let mistake = source.mistake(word.range, format!("no interface {name} is known"));
                Err(mistake.expected(format!("expected {}", names.join(" or "))))
            }
        }
    }

    /// Whether a value is such a text.
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        value
            .as_str()
            .is_some_and(|text| self.objection(text).is_none())
    }

    /// What is wrong with a text, to stand after what it belongs to.
    pub(crate) fn objection(&self, text: &str) -> Option<String> {
        let theirs = match Interface::parse(text) {
            Ok(theirs) => theirs,
            Err(error) => {
                let lines = error.to_string();
                let lines: Vec<&str> = lines.lines().take(2).map(str::trim).collect();
                return Some(format!("is {}", lines.join(": ")));
            }
        };
        let departures = self.own.departures(&theirs);
        let mut found = departures.lacking;
        if !self.open {
            found.extend(departures.further);
        }
        let left = found.len().saturating_sub(TOLD);
        found.truncate(TOLD);
        if left > 0 {
            found.push(format!("and {left} more"));
        }
        (!found.is_empty())
            .then(|| format!("departs from {}: {}", self.describe(), found.join("; ")))
    }

    /// What it must be, to stand after "expected".
    pub(crate) fn describe(&self) -> String {
        let more = if self.open { " or more" } else { "" };
        format!("the definition of {}{more}", self.own.name)
    }
}
