//! The run as one HTML file that opens without a network and reads without scripts.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use askama::Template;
use similar::ChangeTag;

use super::{
    Consumer, Sentences,
    collected::Collected,
    failure::{diff_lines, transcript_line},
    verdict::RunVerdict,
};
use crate::{
    event::{Event, Finding, Outcome, Run, Summary, Verdict},
    scenario::ast::Level,
};

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
        let page = Page {
            run: run.as_ref(),
            summary,
            verdict: verdict(summary),
            matrix: matrix(outcomes),
            rows: outcomes.iter().map(|o| row(o, self.sentences)).collect(),
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
    summary: &'a Summary,
    /// A word for the whole run and the class that colours it.
    verdict: (&'static str, &'static str),
    matrix: Vec<Group>,
    rows: Vec<Row<'a>>,
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
}

struct Row<'a> {
    outcome: &'a Outcome,
    word: &'static str,
    seconds: String,
    requirements: Vec<(&'a str, String)>,
    findings: Vec<Shown>,
    transcript: String,
}

/// A finding, its excerpt and its diff, ready to be printed.
struct Shown {
    message: String,
    place: String,
    excerpt: String,
    diff: Vec<(&'static str, String)>,
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
            Verdict::Fail | Verdict::Error | Verdict::Timeout => cell.failed += 1,
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

fn row(outcome: &Outcome, sentences: Sentences) -> Row<'_> {
    let requirements = outcome
        .covers
        .iter()
        .map(|id| (id.as_str(), sentences(id).unwrap_or_default()))
        .collect();
    let findings = outcome
        .findings
        .iter()
        .chain(&outcome.cleanup)
        .map(shown)
        .collect();
    let lines: Vec<String> = outcome.transcript.iter().map(transcript_line).collect();
    Row {
        outcome,
        word: word(outcome.verdict),
        seconds: format!("{:.3}", outcome.duration.as_secs_f64()),
        requirements,
        findings,
        transcript: lines.join("\n"),
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Skip => "skip",
        Verdict::Error => "error",
        Verdict::Timeout => "timeout",
    }
}

fn shown(finding: &Finding) -> Shown {
    let place = finding.place.as_ref();
    Shown {
        message: finding.message.clone(),
        place: place.map_or_else(String::new, |p| {
            format!("{}:{}:{}", p.path.display(), p.line, p.column)
        }),
        excerpt: place
            .and_then(|p| p.file.text.lines().nth(p.line.saturating_sub(1)))
            .unwrap_or("")
            .trim()
            .to_owned(),
        diff: finding.diff.as_ref().map_or_else(Vec::new, |diff| {
            diff_lines(diff)
                .into_iter()
                .map(|(tag, line)| (class(tag), line))
                .collect()
        }),
    }
}

const fn class(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "same",
        ChangeTag::Delete => "expected",
        ChangeTag::Insert => "actual",
    }
}
