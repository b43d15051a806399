//! Which scenario covers which requirement, and what is left open.

use std::collections::BTreeMap;

use super::{Document, Requirement};
use crate::scenario::ast::Scenario;

/// A requirement and who covers it.
#[derive(Debug, Clone)]
pub struct Covered<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// The ids of the scenarios that cover it.
    pub scenarios: Vec<&'a str>,
    /// The reason given in the table of gaps.
    pub excuse: Option<&'a str>,
}

/// The whole specification against a set of scenarios.
#[derive(Debug, Clone)]
pub struct Coverage<'a> {
    /// Every requirement, in the order of the text.
    pub rows: Vec<Covered<'a>>,
    /// Ids that a scenario covers but SPEC.md does not have: scenario, requirement.
    pub unknown: Vec<(&'a str, &'a str)>,
    /// Ids in the table of gaps that SPEC.md does not have.
    pub unknown_gaps: Vec<&'a str>,
    /// Scenarios with a level above that of all they cover.
    pub too_high: Vec<&'a str>,
}

/// The checks of every reply against the interface definition, which no scenario file states.
pub const EVERY_REPLY: &str = "every reply (interface check)";

impl<'a> Coverage<'a> {
    /// Compares them.
    pub fn new(document: &'a Document, scenarios: impl IntoIterator<Item = &'a Scenario>) -> Self {
        let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for built_in in ["Reply-1", "Reply-2", "Reply-3", "Reply-4"] {
            by_id.insert(built_in, vec![EVERY_REPLY]);
        }
        let mut coverage = Self {
            rows: Vec::new(),
            unknown: Vec::new(),
            unknown_gaps: Vec::new(),
            too_high: Vec::new(),
        };
        for scenario in scenarios {
            coverage.add(document, scenario, &mut by_id);
        }
        let known = |id: &&str| document.get(id).is_some();
        let gaps = document.not_covered.keys().map(String::as_str);
        coverage.unknown_gaps = gaps.filter(|id| !known(id)).collect();
        coverage.rows = document
            .requirements
            .iter()
            .map(|one| row(document, one, &by_id))
            .collect();
        coverage
    }

    fn add(
        &mut self,
        document: &Document,
        scenario: &'a Scenario,
        by_id: &mut BTreeMap<&'a str, Vec<&'a str>>,
    ) {
        let id = scenario.id.node.as_str();
        let mut highest = None;
        for covered in &scenario.covers {
            match document.get(&covered.node) {
                Some(requirement) => highest = highest.max(Some(requirement.level)),
                None => self.unknown.push((id, &covered.node)),
            }
            by_id.entry(&covered.node).or_default().push(id);
        }
        if highest.is_some_and(|highest| scenario.level > highest) {
            self.too_high.push(id);
        }
    }

    /// Requirements that nothing covers and that the table of gaps does not name.
    pub fn gaps(&self) -> impl Iterator<Item = &Covered<'a>> {
        self.rows
            .iter()
            .filter(|row| row.scenarios.is_empty() && row.excuse.is_none())
    }

    /// Requirements that are covered and yet stand in the table of gaps.
    pub fn stale(&self) -> impl Iterator<Item = &Covered<'a>> {
        self.rows
            .iter()
            .filter(|row| !row.scenarios.is_empty() && row.excuse.is_some())
    }
}

fn row<'a>(
    document: &'a Document,
    requirement: &'a Requirement,
    by_id: &BTreeMap<&'a str, Vec<&'a str>>,
) -> Covered<'a> {
    Covered {
        requirement,
        scenarios: by_id
            .get(requirement.id.as_str())
            .cloned()
            .unwrap_or_default(),
        excuse: document
            .not_covered
            .get(&requirement.id)
            .map(String::as_str),
    }
}
