//! The report on the terminal: a progress line while it runs, failures as they come, the verdict at the end.

use std::{
    fmt::Write as _,
    io::{self, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    Consumer, Sentences,
    failure::{self, BAD, DIM, DOUBTFUL, GOOD, STRONG, Styled},
    verdict::{RunVerdict, counts},
};
use crate::{
    event::{Event, Outcome, Run, Summary, Verdict},
    scenario::ast::Level,
};

/// How much is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// A line per verdict, also for those that pass.
    pub verbose: bool,
    /// A progress line; only where standard error is a terminal.
    pub progress: bool,
}

/// The terminal's report; `out` strips colours where they are not wanted.
#[derive(Debug)]
pub struct Terminal<W> {
    out: W,
    style: Style,
    sentences: Sentences,
    gate: Level,
    progress: ProgressBar,
}

impl<W: Write> Terminal<W> {
    /// A report that goes to `out`; the progress line goes to standard error.
    pub fn new(out: W, style: Style, sentences: Sentences) -> Self {
        Self {
            out,
            style,
            sentences,
            gate: Level::Should,
            progress: ProgressBar::hidden(),
        }
    }

    fn started(&mut self, run: &Run) -> io::Result<()> {
        self.gate = run.gate;
        if self.style.progress {
            self.progress = progress_bar(run.total);
        }
        let endpoint = run.endpoint.as_ref().map_or_else(String::new, |e| {
            format!(" ({} {} {})", e.vendor, e.product, e.version)
        });
        writeln!(
            self.out,
            "judging {}{endpoint} by {}: {} verdicts",
            Styled(STRONG, &run.address),
            run.suites.join(", "),
            run.total
        )
    }

    fn ended_scenario(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.progress.inc(1);
        let text = self.lines(outcome);
        if text.is_empty() {
            return Ok(());
        }
        // The progress line steps aside while something is printed.
        let Self { progress, out, .. } = self;
        progress.suspend(|| out.write_all(text.as_bytes()))
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{} {text}\n", Styled(DOUBTFUL, "note:"));
        let Self { progress, out, .. } = self;
        progress.suspend(|| out.write_all(line.as_bytes()))
    }

    fn lines(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        let shown = match outcome.verdict {
            Verdict::Pass | Verdict::Skip => self.style.verbose || !outcome.cleanup.is_empty(),
            Verdict::Fail | Verdict::Error | Verdict::Timeout => true,
        };
        if shown {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", verdict_line(outcome, self.gate));
        }
        match outcome.verdict {
            Verdict::Pass if outcome.cleanup.is_empty() => {}
            Verdict::Skip => {}
            _ => text.push_str(&failure::render(outcome, self.sentences)),
        }
        text
    }

    fn ended(&mut self, summary: &Summary) -> io::Result<()> {
        self.progress.finish_and_clear();
        writeln!(self.out, "{}", summary_line(summary))?;
        self.out.flush()
    }
}

impl<W: Write + Send> Consumer for Terminal<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.started(run),
            Event::ScenarioStarted { id } => {
                self.progress.set_message(id.clone());
                Ok(())
            }
            Event::ScenarioEnded(outcome) => self.ended_scenario(outcome),
            Event::Note(text) => self.note(text),
            Event::Ended(summary) => self.ended(summary),
        }
    }
}

fn progress_bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        Some(u64::try_from(total).unwrap_or(u64::MAX)),
        ProgressDrawTarget::stderr(),
    );
    // The template is a constant; were it wrong, the default style would do.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

/// `FAIL    must   StopContainer/kills-after-timeout   1.204 s`
fn verdict_line(outcome: &Outcome, gate: Level) -> String {
    let gating = outcome.level >= gate;
    let (word, style) = match outcome.verdict {
        Verdict::Pass => ("pass", GOOD),
        Verdict::Skip => ("skip", DIM),
        Verdict::Fail if gating => ("FAIL", BAD),
        Verdict::Fail => ("fail", DOUBTFUL),
        Verdict::Timeout if gating => ("TIMEOUT", BAD),
        Verdict::Timeout => ("timeout", DOUBTFUL),
        Verdict::Error => ("ERROR", DOUBTFUL),
    };
    let after = match (&outcome.verdict, &outcome.reason) {
        (Verdict::Skip, Some(reason)) => format!("({reason})"),
        _ => seconds(outcome.duration),
    };
    format!(
        "{} {:6} {}  {}",
        Styled(style, format!("{word:7}")),
        outcome.level.to_string(),
        Styled(STRONG, &outcome.id),
        Styled(DIM, after)
    )
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// `does not conform: 2 failed, 1 timed out, 130 passed, 4 skipped in 3.1 s`
fn summary_line(summary: &Summary) -> String {
    let verdict = RunVerdict::of(summary);
    let style = match verdict {
        RunVerdict::DoesNotConform => BAD,
        RunVerdict::None | RunVerdict::NothingRan => DOUBTFUL,
        RunVerdict::Conforms => GOOD,
    };
    format!("{}: {}", Styled(style, verdict.words()), counts(summary))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::all_well(Summary { passed: 2, skipped: 1, ..Summary::default() }, "conforms: 2 passed, 1 skipped in 0.0 s")]
    #[case::a_failure(Summary { passed: 2, failed: 1, ..Summary::default() }, "does not conform: 1 failed, 2 passed in 0.0 s")]
    #[case::below_the_gate(Summary { failed_below_gate: 1, ..Summary::default() }, "conforms: 1 failed below the gate level in 0.0 s")]
    #[case::a_harness_error(Summary { passed: 9, errors: 1, ..Summary::default() }, "no verdict: 1 could not be tested, 9 passed in 0.0 s")]
    #[case::nothing(Summary { skipped: 3, ..Summary::default() }, "nothing ran: 3 skipped in 0.0 s")]
    #[case::cut_short(Summary { passed: 1, interrupted: true, ..Summary::default() }, "no verdict: 1 passed, interrupted in 0.0 s")]
    fn the_last_line_is_the_verdict(#[case] summary: Summary, #[case] expected: &str) {
        assert_eq!(
            anstream::adapter::strip_str(&summary_line(&summary)).to_string(),
            expected
        );
    }
}
