//! From how a scenario went to its outcome, and from all outcomes to the exit code.

use std::time::Duration;

use super::{filter::Filter, finding::Loss, plan::Unit, race::Lost};
use crate::{
    event::{Exchanged, Finding, Outcome, Summary, Verdict},
    scenario::ast::Level,
};

/// An outcome for a scenario that was not run.
pub(super) fn not_run(unit: &Unit<'_>, verdict: Verdict, reason: String, command: &str) -> Outcome {
    Outcome {
        id: unit.id.clone(),
        suite: unit.suite.to_owned(),
        title: unit.scenario.title.clone(),
        level: unit.scenario.level,
        covers: unit
            .scenario
            .covers
            .iter()
            .map(|id| id.node.clone())
            .collect(),
        verdict,
        reason: Some(reason),
        findings: Vec::new(),
        cleanup: Vec::new(),
        transcript: Vec::new(),
        duration: Duration::ZERO,
        repeat: repeat(command, &unit.id),
    }
}

/// The command that repeats one scenario.
pub(super) fn repeat(command: &str, id: &str) -> String {
    format!(
        "{command} --filter {}",
        shell_words::quote(&Filter::literal(id))
    )
}

/// How the steps went: the verdict, the reason of an error, and the findings.
pub(super) fn of_steps(
    steps: Result<(), Lost>,
    fatal: Vec<Finding>,
) -> (Verdict, Option<String>, Vec<Finding>) {
    match steps {
        Ok(()) if fatal.is_empty() => (Verdict::Pass, None, fatal),
        Ok(()) => (Verdict::Fail, None, fatal),
        Err(Lost::Departed(Loss {
            mut findings,
            timed_out,
        })) => {
            findings.extend(fatal);
            let verdict = if timed_out {
                Verdict::Timeout
            } else {
                Verdict::Fail
            };
            (verdict, None, findings)
        }
        Err(Lost::Interrupted) => (Verdict::Error, Some("interrupted".to_owned()), fatal),
        Err(Lost::Harness(why)) => (Verdict::Error, Some(why), fatal),
    }
}

/// The part of an outcome that only a run has.
pub(super) struct Ran {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    pub(super) findings: Vec<Finding>,
    pub(super) cleanup: Vec<Finding>,
    pub(super) transcript: Vec<Exchanged>,
    pub(super) duration: Duration,
}

impl Ran {
    pub(super) fn outcome(self, unit: &Unit<'_>, command: &str) -> Outcome {
        let Self {
            verdict,
            reason,
            findings,
            cleanup,
            transcript,
            duration,
        } = self;
        let not_run = not_run(unit, verdict, String::new(), command);
        Outcome {
            reason,
            findings,
            cleanup,
            transcript,
            duration,
            ..not_run
        }
    }
}

/// Counts an outcome.
pub(super) fn count(summary: &mut Summary, outcome: &Outcome, gate: Level) {
    let counter = match outcome.verdict {
        Verdict::Pass => &mut summary.passed,
        Verdict::Skip => &mut summary.skipped,
        Verdict::Error => &mut summary.errors,
        Verdict::Fail | Verdict::Timeout if outcome.level < gate => &mut summary.failed_below_gate,
        Verdict::Fail => &mut summary.failed,
        Verdict::Timeout => &mut summary.timeouts,
    };
    *counter = counter.saturating_add(1);
    if !outcome.cleanup.is_empty() {
        summary.cleanup_failures = summary.cleanup_failures.saturating_add(1);
    }
}

/// The exit code of a run: 0 conforms, 1 departs at or above the gate level, 3 could not be tested,
/// 4 nothing ran, 130 interrupted by the user.
pub fn exit_code(summary: &Summary) -> u8 {
    let departures = summary.failed.saturating_add(summary.timeouts);
    let ran = summary.passed.saturating_add(summary.failed_below_gate);
    match summary {
        summary if summary.interrupted => 130,
        _ if departures > 0 => 1,
        summary if summary.errors > 0 => 3,
        _ if ran == 0 => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Summary { passed: 1, ..Summary::default() }, 0)]
    #[case(Summary { passed: 1, failed_below_gate: 1, skipped: 1, cleanup_failures: 1, ..Summary::default() }, 0)]
    #[case(Summary { passed: 1, failed: 1, errors: 1, ..Summary::default() }, 1)]
    #[case(Summary { timeouts: 1, ..Summary::default() }, 1)]
    #[case(Summary { passed: 1, errors: 1, ..Summary::default() }, 3)]
    #[case(Summary { skipped: 5, ..Summary::default() }, 4)]
    #[case(Summary { passed: 1, failed: 1, interrupted: true, ..Summary::default() }, 130)]
    fn the_exit_code_follows_from_the_counts(#[case] summary: Summary, #[case] code: u8) {
        assert_eq!(exit_code(&summary), code);
    }
}
