//! What must come back: replies, errors, whole messages, the end of the connection, silence.

use std::{ops::Range, sync::Arc};

use super::{
    ast::{Expectations, Expected, SourceFile, Spanned},
    call::is_member_name,
    duration::{self, read_duration},
    excerpt::Excerpt,
    json::read_json,
    mistake::Mistake,
    pattern::Pattern,
    template::Template,
};

/// The lines of a file, read one after another.
#[derive(Debug, Clone)]
pub(crate) struct Lines<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    /// The start of the next line.
    pub(crate) at: usize,
    pub(crate) end: usize,
}

impl Lines<'_> {
    /// The bytes of the next line, without its end and blanks before it.
    pub(crate) fn peek(&self) -> Option<Range<usize>> {
        let rest = self
            .file
            .text
            .get(self.at..self.end)
            .filter(|rest| !rest.is_empty())?;
        let line = rest.split('\n').next().unwrap_or_default().trim_end();
        Some(self.at..self.at + line.len())
    }

    /// The text of the next line, empty at the end.
    pub(crate) fn text(&self) -> &str {
        self.peek().map_or("", |span| self.file.excerpt(&span))
    }

    /// Goes behind the line in which an offset stands.
    pub(crate) fn pass(&mut self, offset: usize) {
        let rest = self.file.text.get(offset..self.end).unwrap_or_default();
        self.at = rest
            .find('\n')
            .map_or(self.end, |length| offset + length + 1);
    }
}

/// Reads the expectations that begin at the next line.
///
/// # Errors
/// Every mistake in them.
pub(crate) fn read_expectations(lines: &mut Lines<'_>) -> Result<Expectations, Vec<Mistake>> {
    let mut alternatives: Vec<Vec<Spanned<Expected>>> = Vec::new();
    let mut group = Vec::new();
    let mut mistakes = Vec::new();
    loop {
        match lines.text().chars().next() {
            Some('{' | '!' | '<') => match read_one(lines) {
                Ok(expected) => group.push(expected),
                // Where this one ends is not known, so reading on would mislead.
                Err(Failure::Lost(found)) => return Err([mistakes, found].concat()),
                Err(Failure::Found(found)) => mistakes.extend(found),
            },
            Some('@') if lines.text() == "@or" => {
                let span = lines.peek().unwrap_or(lines.at..lines.at);
                lines.pass(span.end);
                check_or(lines, &group, span, &mut mistakes);
                alternatives.push(std::mem::take(&mut group));
            }
            _ => break,
        }
    }
    if !group.is_empty() {
        alternatives.push(group);
    }
    match mistakes.is_empty() {
        true => Ok(Expectations { alternatives }),
        false => Err(mistakes),
    }
}

fn check_or(
    lines: &Lines<'_>,
    before: &[Spanned<Expected>],
    span: Range<usize>,
    mistakes: &mut Vec<Mistake>,
) {
    let follows = lines.text().starts_with(['{', '!', '<']);
    if (before.is_empty() && mistakes.is_empty()) || !follows {
        let mistake = Mistake::new(lines.file, span, "@or without expectations on both sides");
        mistakes.push(mistake.expected("expected a group of expectations before and after it"));
    }
}

enum Failure {
    /// It is known where the expectation ends.
    Found(Vec<Mistake>),
    /// It is not.
    Lost(Vec<Mistake>),
}

fn read_one(lines: &mut Lines<'_>) -> Result<Spanned<Expected>, Failure> {
    let span = lines.peek().unwrap_or(lines.at..lines.at);
    match lines.text().chars().next() {
        Some('!') => read_error(lines, span),
        Some('<') => read_message(lines, span),
        _ => {
            let (pattern, span) = read_body(lines, span.start)?;
            Ok(spanned(lines, Expected::Reply(pattern), span))
        }
    }
}

fn spanned(lines: &Lines<'_>, node: Expected, span: Range<usize>) -> Spanned<Expected> {
    let file = Arc::clone(lines.file);
    Spanned { node, file, span }
}

/// Reads the body at an offset, and goes behind its last line.
fn read_body(lines: &mut Lines<'_>, start: usize) -> Result<(Pattern, Range<usize>), Failure> {
    let source = Excerpt::of(lines.file, start..lines.end);
    let (json, length) = read_json(&source, 0).map_err(Failure::Lost)?;
    let end = start + length;
    let rest = lines.file.text.get(end..lines.end).unwrap_or_default();
    let garbage = rest.split('\n').next().unwrap_or_default().trim_end();
    lines.pass(end);
    if !garbage.trim().is_empty() {
        let blanks = garbage.len() - garbage.trim_start().len();
        let span = end + blanks..end + garbage.len();
        let mistake = Mistake::new(lines.file, span, "something follows the JSON body");
        return Err(Failure::Found(vec![
            mistake.expected("expected the end of the line"),
        ]));
    }
    let pattern = Pattern::from_json(lines.file, &json).map_err(Failure::Found)?;
    Ok((pattern, start..end))
}

fn read_error(lines: &mut Lines<'_>, line: Range<usize>) -> Result<Spanned<Expected>, Failure> {
    let text = lines.file.excerpt(&line);
    let after = text.get(1..).unwrap_or_default();
    let start = line.start + 1 + (after.len() - after.trim_start().len());
    let source = Excerpt::of(lines.file, start..line.end);
    lines.pass(line.end);
    let name = error_name(&source).map_err(|mistake| Failure::Found(vec![*mistake]))?;
    let mut span = line;
    let mut parameters = None;
    if lines.text().starts_with('{') {
        let (pattern, body) = read_body(lines, lines.at)?;
        span.end = body.end;
        parameters = Some(pattern);
    }
    Ok(spanned(lines, Expected::Error { name, parameters }, span))
}

fn error_name(source: &Excerpt) -> Result<Spanned<Template>, Box<Mistake>> {
    let node = Template::read_text(source).map_err(Box::new)?;
    if node.constant().is_some_and(|name| !is_member_name(&name)) {
        let message = match source.text().is_empty() {
            true => "the error has no name".to_owned(),
            false => format!("{:?} is not the name of an error", source.text()),
        };
        let mistake = Mistake::new(source.file(), source.whole(), message);
        return Err(Box::new(mistake.expected(
            "expected INTERFACE.ERROR, its parameters on the next line",
        )));
    }
    let file = Arc::clone(source.file());
    let span = source.whole();
    Ok(Spanned { node, file, span })
}

fn read_message(lines: &mut Lines<'_>, line: Range<usize>) -> Result<Spanned<Expected>, Failure> {
    let text = lines.file.excerpt(&line);
    let after = text.get(1..).unwrap_or_default().trim_start();
    let start = line.end - after.len();
    if after.starts_with('{') {
        let (pattern, body) = read_body(lines, start)?;
        return Ok(spanned(
            lines,
            Expected::Message(pattern),
            line.start..body.end,
        ));
    }
    let node = match after.split_once([' ', '\t']) {
        None if after == "closed" => Some(Expected::Closed),
        Some(("silent", duration)) => read_duration(duration.trim()).map(Expected::Silent),
        _ => None,
    };
    let wrong = || match after.starts_with("silent") {
        true => (format!("{after:?} names no duration"), duration::FORM),
        false => (
            format!("unknown expectation {after:?}"),
            "expected {…}, closed or silent 200ms",
        ),
    };
    let node = node.ok_or_else(|| {
        let (message, expected) = wrong();
        let mistake = Mistake::new(lines.file, start..line.end, message).expected(expected);
        Failure::Found(vec![mistake])
    });
    lines.pass(line.end);
    Ok(spanned(lines, node?, line))
}
