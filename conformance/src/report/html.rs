//! The run as one HTML file that needs neither a network nor scripts.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use askama::Template;
use similar::ChangeTag;

use super::{
    Consumer, Sentences,
    collected::Collected,
    failure::{diff_lines, excerpt, requirements, transcript_head},
    verdict::{RunVerdict, counts},
};
use crate::{
    event::{Event, Exchanged, Finding, Outcome, Run, Summary, Verdict},
    scenario::ast::Level,
};

/// So many failures are shown whole from the start; more would be pages to scroll through.
const OPEN: usize = 10;

/// Collects the run, and writes it at its end.
pub struct Html<W> {
    out: W,
    sentences: Sentences,
    collected: Collected,
}

impl<W> std::fmt::Debug for Html<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Html")
            .field("outcomes", &self.collected.outcomes.len())
            .finish_non_exhaustive()
    }
}

impl<W: Write> Html<W> {
    /// A report that goes to `out`.
    pub fn new(out: W, sentences: Sentences) -> Self {
        Self {
            out,
            sentences,
            collected: Collected::default(),
        }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let Collected { run, outcomes } = &self.collected;
        let gate = run.as_ref().map_or(Level::Must, |run| run.gate);
        let sections = sections(outcomes, gate, self.sentences);
        let [failed, ..] = &sections;
        let page = Page {
            run: run.as_ref(),
            counts: counts(summary),
            verdict: verdict(summary),
            matrix: matrix(outcomes),
            // A few failures are what to look at first, many need the overview.
            matrix_at: if failed.rows.len() > OPEN { 0 } else { 2 },
            sections,
        };
        let text = page.render().map_err(io::Error::other)?;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write + Send> Consumer for Html<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match self.collected.take(event) {
            Some(summary) => self.finish(summary),
            None => Ok(()),
        }
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    run: Option<&'a Run>,
    counts: String,
    /// A word for the whole run and the class that colours it.
    verdict: (&'static str, &'static str),
    matrix: Vec<Group>,
    /// The section that the matrix comes before.
    matrix_at: usize,
    sections: [Section<'a>; 4],
}

/// A line of the matrix: a method, and how its scenarios ended at each level.
struct Group {
    name: String,
    /// Must, should, may.
    cells: [Cell; 3],
}

#[derive(Default)]
struct Cell {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// The id of the first that failed.
    first: String,
}

/// Scenarios that ended alike.
struct Section<'a> {
    name: &'static str,
    open: bool,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    outcome: &'a Outcome,
    open: bool,
    word: &'static str,
    class: &'static str,
    seconds: String,
    /// The first thing that went wrong, or why it did not run.
    why: &'a str,
    requirements: Vec<(&'a str, String)>,
    findings: Vec<Shown<'a>>,
    /// Who, and what.
    transcript: Vec<(String, &'a str)>,
    repeat: &'a str,
}

/// A finding, its excerpt and its diff, ready to be printed.
struct Shown<'a> {
    cleanup: bool,
    message: &'a str,
    excerpt: String,
    diff: Vec<(&'static str, String)>,
}

/// What needs a look comes first; what conforms is there to be looked up.
fn sections(outcomes: &[Outcome], gate: Level, sentences: Sentences) -> [Section<'_>; 4] {
    let section = |name, open, kind| {
        let taken: Vec<&Outcome> = outcomes.iter().filter(|o| Kind::of(o) == kind).collect();
        let few = taken.len() <= OPEN && open;
        let rows = taken.into_iter().map(|o| row(o, few, gate, sentences));
        Section {
            name,
            open,
            rows: rows.collect(),
        }
    };
    [
        section("Not passed", true, Kind::NotPassed),
        section("Passed, and not cleaned up", true, Kind::NotCleanedUp),
        section("Skipped", false, Kind::Skipped),
        section("Passed", false, Kind::Passed),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NotPassed,
    NotCleanedUp,
    Skipped,
    Passed,
}

impl Kind {
    fn of(outcome: &Outcome) -> Self {
        match outcome.verdict {
            Verdict::Fail | Verdict::Error | Verdict::Timeout => Self::NotPassed,
            _ if !outcome.cleanup.is_empty() => Self::NotCleanedUp,
            Verdict::Skip => Self::Skipped,
            Verdict::Pass => Self::Passed,
        }
    }
}

/// The words for the run, and the class that colours them.
const fn verdict(summary: &Summary) -> (&'static str, &'static str) {
    let verdict = RunVerdict::of(summary);
    let class = match verdict {
        RunVerdict::DoesNotConform => "fail",
        RunVerdict::None | RunVerdict::NothingRan => "error",
        RunVerdict::Conforms => "pass",
    };
    (verdict.words(), class)
}

fn matrix(outcomes: &[Outcome]) -> Vec<Group> {
    let mut groups: BTreeMap<&str, [Cell; 3]> = BTreeMap::new();
    for outcome in outcomes {
        let name = outcome.id.split_once('/').map_or("", |(folder, _)| folder);
        let [must, should, may] = groups.entry(name).or_default();
        let cell = match outcome.level {
            Level::Must => must,
            Level::Should => should,
            Level::May => may,
        };
        match outcome.verdict {
            Verdict::Pass => cell.passed += 1,
            Verdict::Skip => cell.skipped += 1,
            Verdict::Fail | Verdict::Error | Verdict::Timeout => {
                cell.failed += 1;
                if cell.first.is_empty() {
                    cell.first.clone_from(&outcome.id);
                }
            }
        }
    }
    groups
        .into_iter()
        .map(|(name, cells)| Group {
            name: name.to_owned(),
            cells,
        })
        .collect()
}

fn row(outcome: &Outcome, open: bool, gate: Level, sentences: Sentences) -> Row<'_> {
    let sentence = |id: &'_ String| sentences(id).unwrap_or_default();
    let (word, class) = word(outcome, gate);
    let looked_into = matches!(Kind::of(outcome), Kind::NotPassed | Kind::NotCleanedUp);
    let findings = outcome.findings.iter().map(|f| shown(f, false));
    let cleanup = outcome.cleanup.iter().map(|f| shown(f, true));
    // What passed has the sentences that it holds; how it went is in the JSON document.
    let transcript: &[Exchanged] = if looked_into {
        &outcome.transcript
    } else {
        &[]
    };
    Row {
        outcome,
        open,
        word,
        class,
        seconds: format!("{:.3}", outcome.duration.as_secs_f64()),
        why: why(outcome),
        requirements: requirements(outcome)
            .into_iter()
            .map(|id| (id.as_str(), sentence(id)))
            .collect(),
        findings: findings.chain(cleanup).collect(),
        transcript: transcript
            .iter()
            .map(|line| (transcript_head(line), line.text.as_str()))
            .collect(),
        repeat: if looked_into { &outcome.repeat } else { "" },
    }
}

fn why(outcome: &Outcome) -> &str {
    let findings = outcome.findings.iter().chain(&outcome.cleanup);
    let mut messages = findings.map(|finding| finding.message.as_str());
    let reason = outcome.reason.as_deref();
    reason.or_else(|| messages.next()).unwrap_or("")
}

/// The word for an outcome, and the class that colours it.
fn word(outcome: &Outcome, gate: Level) -> (&'static str, &'static str) {
    let gating = outcome.level >= gate;
    match outcome.verdict {
        Verdict::Pass => ("pass", "pass"),
        Verdict::Skip => ("skip", "skip"),
        Verdict::Fail if gating => ("fail", "fail"),
        Verdict::Fail => ("fail", "error"),
        Verdict::Timeout if gating => ("timeout", "fail"),
        Verdict::Timeout => ("timeout", "error"),
        Verdict::Error => ("error", "error"),
    }
}

fn shown(finding: &Finding, cleanup: bool) -> Shown<'_> {
    let lines = finding.diff.as_ref().map(diff_lines).unwrap_or_default();
    Shown {
        cleanup,
        message: &finding.message,
        excerpt: excerpt(finding),
        diff: lines.into_iter().map(|(tag, l)| (class(tag), l)).collect(),
    }
}

const fn class(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "same",
        ChangeTag::Delete => "expected",
        ChangeTag::Insert => "actual",
    }
}
