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

/// The excerpt with a caret alone, without colours; nothing for a finding without a place.
pub(super) fn excerpt(finding: &Finding) -> String {
    let Some(place) = &finding.place else {
        return String::new();
    };
    let text = located(finding, place).render();
    let lines = text.lines().map(str::trim_end);
    let excerpt = lines.skip_while(|line| !line.trim_start().starts_with("┌─"));
    let excerpt: Vec<&str> = excerpt.collect();
    excerpt.join("\n").trim_end().to_owned()
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

/// So many lines that golden and actual share are shown before and after each difference.
const CONTEXT: usize = 6;

/// The lines of golden and actual, each with where it stands. Of long stretches that both share, only what is next to a
/// difference: an answer may have thousands of lines.
pub(super) fn diff_lines(diff: &Diff) -> Vec<(ChangeTag, String)> {
    let diff = TextDiff::from_lines(diff.expected.as_str(), diff.actual.as_str());
    let mut lines = Vec::new();
    let mut shown_to = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let starts = group.first().map_or(shown_to, |op| op.old_range().start);
        lines.extend(left_out(starts.saturating_sub(shown_to)));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end_matches('\n');
            lines.push((change.tag(), line.to_owned()));
        }
        shown_to = group.last().map_or(shown_to, |op| op.old_range().end);
    }
    lines.extend(left_out(diff.old_len().saturating_sub(shown_to)));
    lines
}

fn left_out(lines: usize) -> Option<(ChangeTag, String)> {
    (lines > 0).then(|| (ChangeTag::Equal, format!("… {lines} more that agree")))
}

/// The requirements that a scenario's findings are about; where these do not say, all that it covers.
pub(super) fn requirements(outcome: &Outcome) -> Vec<&String> {
    let narrower: Vec<&String> = outcome
        .findings
        .iter()
        .flat_map(|f| &f.requirements)
        .collect();
    if narrower.is_empty() {
        outcome.covers.iter().collect()
    } else {
        narrower
    }
}

fn render_requirements(outcome: &Outcome, sentences: Sentences) -> String {
    let mut text = String::new();
    for id in requirements(outcome) {
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
fn transcript_line(line: &Exchanged) -> String {
    let whole = format!("{} {}", transcript_head(line), line.text);
    whole.trim_end().to_owned()
}

/// `   1.204 main >`: when, on which connection, and who.
pub(super) fn transcript_head(line: &Exchanged) -> String {
    let arrow = match line.direction {
        Direction::Sent => ">",
        Direction::Received => "<",
        Direction::Closed => "< closed",
        Direction::Note => "#",
    };
    format!("{:8.3} {} {arrow}", line.at.as_secs_f64(), line.connection)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Numbers line by line, some of them replaced in what came.
    fn shown(lines: usize, wrong: &[usize]) -> String {
        let side = |write: &dyn Fn(usize) -> String| (0..lines).map(write).collect::<String>();
        let diff = Diff {
            expected: side(&|n| format!("{n}\n")),
            actual: side(&|n| format!("{n}{}\n", if wrong.contains(&n) { "?" } else { "" })),
        };
        let lines = diff_lines(&diff).into_iter().map(|(tag, line)| match tag {
            ChangeTag::Equal => line,
            ChangeTag::Delete => format!("-{line}"),
            ChangeTag::Insert => format!("+{line}"),
        });
        lines.collect::<Vec<_>>().join(" ")
    }

    #[rstest]
    #[case::short(4, &[2], "0 1 -2 +2? 3")]
    #[case::alike(3, &[], "… 3 more that agree")]
    #[case::long(30, &[15], "… 9 more that agree 9 10 11 12 13 14 -15 +15? 16 17 18 19 20 21 … 8 more that agree")]
    #[case::at_the_ends(20, &[0, 19], "-0 +0? 1 2 3 4 5 6 … 6 more that agree 13 14 15 16 17 18 -19 +19?")]
    #[case::close_together(12, &[0, 11], "-0 +0? 1 2 3 4 5 6 7 8 9 10 -11 +11?")]
    fn a_diff_leaves_out_what_is_far_from_any_difference(
        #[case] lines: usize,
        #[case] wrong: &[usize],
        #[case] expected: &str,
    ) {
        assert_eq!(shown(lines, wrong), expected);
    }
}
