//! One failed scenario as text: what is wrong and where, golden against actual, the requirement, the transcript,
//! and the command that repeats it.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use similar::{ChangeTag, TextDiff};

use super::Sentences;
use crate::{
    event::{Diff, Direction, Exchanged, Finding, Outcome, Place},
    scenario::mistake::Mistake,
};

/// Green, for what was expected.
pub(super) const GOOD: Style = foreground(AnsiColor::Green).bold();
/// Red, for what was not.
pub(super) const BAD: Style = foreground(AnsiColor::Red).bold();
/// Yellow, for what needs a look.
pub(super) const DOUBTFUL: Style = foreground(AnsiColor::Yellow).bold();
/// For what matters less.
pub(super) const DIM: Style = Style::new().dimmed();
/// For names.
pub(super) const STRONG: Style = Style::new().bold();

const fn foreground(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(colour)))
}

/// A text in a style; the writer strips it where colours are not wanted.
pub(super) struct Styled<T>(pub(super) Style, pub(super) T);

impl<T: fmt::Display> fmt::Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0.render(), self.1, self.0.render_reset())
    }
}

/// The whole text, with ANSI colours.
pub(super) fn render(outcome: &Outcome, sentences: Sentences) -> String {
    let mut text = String::new();
    if let Some(reason) = &outcome.reason {
        section(&mut text, &format!("{}: {reason}\n", Styled(BAD, "error")));
    }
    for finding in &outcome.findings {
        section(&mut text, &render_finding(finding));
    }
    section(&mut text, &render_requirements(outcome, sentences));
    if !outcome.transcript.is_empty() {
        section(&mut text, &render_transcript(&outcome.transcript));
    }
    for finding in &outcome.cleanup {
        section(
            &mut text,
            &format!(
                "{} {}",
                Styled(DOUBTFUL, "clean-up:"),
                render_finding(finding)
            ),
        );
    }
    section(
        &mut text,
        &format!("{} {}\n", Styled(DIM, "repeat:"), outcome.repeat),
    );
    text
}

fn section(text: &mut String, block: &str) {
    for line in block.lines() {
        // Writing to a string does not fail.
        let _ = if line.is_empty() {
            writeln!(text)
        } else {
            writeln!(text, "  {line}")
        };
    }
}

fn render_finding(finding: &Finding) -> String {
    let mut text = match &finding.place {
        Some(place) => located(finding, place).render_coloured(),
        None => format!("{}: {}\n", Styled(BAD, "error"), finding.message),
    };
    if let Some(diff) = &finding.diff {
        text.push_str(&render_diff(diff));
    }
    text
}

fn located(finding: &Finding, place: &Place) -> Mistake {
    Mistake::new(&place.file, place.span.clone(), finding.message.as_str())
        .expected(place.label.as_str())
}

/// Golden against actual, line by line; a body of one line each needs no diff markers to be read, but keeps them all the same.
fn render_diff(diff: &Diff) -> String {
    let mut text = format!(
        "{} {}\n",
        Styled(GOOD, "- expected"),
        Styled(BAD, "+ actual")
    );
    for (tag, line) in diff_lines(diff) {
        let _ = match tag {
            ChangeTag::Equal => writeln!(text, "  {line}"),
            ChangeTag::Delete => writeln!(text, "{}", Styled(GOOD, format!("- {line}"))),
            ChangeTag::Insert => writeln!(text, "{}", Styled(BAD, format!("+ {line}"))),
        };
    }
    text
}

/// The lines of golden and actual, each with where it stands.
pub(super) fn diff_lines(diff: &Diff) -> Vec<(ChangeTag, String)> {
    TextDiff::from_lines(diff.expected.as_str(), diff.actual.as_str())
        .iter_all_changes()
        .map(|change| {
            (
                change.tag(),
                change.value().trim_end_matches('\n').to_owned(),
            )
        })
        .collect()
}

fn render_requirements(outcome: &Outcome, sentences: Sentences) -> String {
    let narrower: Vec<&String> = outcome
        .findings
        .iter()
        .flat_map(|f| &f.requirements)
        .collect();
    let ids: Vec<&String> = if narrower.is_empty() {
        outcome.covers.iter().collect()
    } else {
        narrower
    };
    let mut text = String::new();
    for id in ids {
        let sentence = sentences(id).unwrap_or_default();
        let _ = writeln!(text, "{} {sentence}", Styled(STRONG, format!("{id}:")));
    }
    text
}

fn render_transcript(transcript: &[Exchanged]) -> String {
    let mut text = format!("{}\n", Styled(DIM, "transcript:"));
    for line in transcript {
        let _ = writeln!(text, "{}", Styled(DIM, transcript_line(line)));
    }
    text
}

/// `   1.204 main > {"method":…}`, seconds since the scenario began.
pub(super) fn transcript_line(line: &Exchanged) -> String {
    let arrow = match line.direction {
        Direction::Sent => ">",
        Direction::Received => "<",
        Direction::Closed => "< closed",
        Direction::Note => "#",
    };
    format!(
        "{:8.3} {} {arrow} {}",
        line.at.as_secs_f64(),
        line.connection,
        line.text
    )
    .trim_end()
    .to_owned()
}
