//! `coverage`: requirement by requirement, who holds it.

use std::io::Write;

use clap::Args;

use super::{failure::Failure, say, suites};
use crate::{
    scenario::ast::Scenario,
    spec::{Coverage, Covered, Document},
};

/// Say for each requirement which scenario holds it.
#[derive(Debug, Args)]
pub(super) struct CoverageTable {
    /// Only what nothing holds
    #[arg(long)]
    gaps: bool,
}

impl CoverageTable {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let suites = suites(&[])?;
        let document = Document::shipped()?;
        let scenarios: Vec<&Scenario> = suites.iter().flat_map(|suite| &suite.scenarios).collect();
        let coverage = Coverage::new(&document, scenarios);
        for row in coverage
            .rows
            .iter()
            .filter(|row| !self.gaps || row.scenarios.is_empty())
        {
            say(out, line(row))?;
        }
        let mistakes = mistakes(&coverage);
        for mistake in &mistakes {
            say(out, mistake)?;
        }
        say(out, summary(&coverage))?;
        let is_complete = coverage.gaps().next().is_none() && mistakes.is_empty();
        Ok(u8::from(!is_complete))
    }
}

fn line(row: &Covered<'_>) -> String {
    let held = match (row.scenarios.as_slice(), row.excuse) {
        ([], Some(excuse)) => format!("not covered yet: {excuse}"),
        ([], None) => "NOT COVERED".to_owned(),
        (scenarios, _) => scenarios.join(", "),
    };
    let (id, level) = (&row.requirement.id, row.requirement.level.to_string());
    format!("{id:28}  {level:6}  {held}")
}

fn mistakes(coverage: &Coverage<'_>) -> Vec<String> {
    let unknown = coverage.unknown.iter();
    let unknown = unknown
        .map(|(scenario, id)| format!("{scenario} covers {id}, which SPEC.md does not have"));
    let gaps = coverage.unknown_gaps.iter();
    let gaps =
        gaps.map(|id| format!("\"Not covered yet\" names {id}, which SPEC.md does not have"));
    let stale = coverage.stale();
    let stale = stale.map(|row| {
        format!(
            "{} is covered, but listed as not covered yet",
            row.requirement.id
        )
    });
    let high = coverage.too_high.iter();
    let high = high.map(|id| format!("{id} has a level above that of all it covers"));
    unknown.chain(gaps).chain(stale).chain(high).collect()
}

fn summary(coverage: &Coverage<'_>) -> String {
    let covered = coverage
        .rows
        .iter()
        .filter(|row| !row.scenarios.is_empty())
        .count();
    let gaps = coverage.gaps().count();
    let all = coverage.rows.len();
    let listed = all.saturating_sub(covered).saturating_sub(gaps);
    format!(
        "{all} requirements: {covered} covered, {listed} not covered yet, {gaps} without a word"
    )
}
