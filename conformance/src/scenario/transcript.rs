//! The transcript of a scenario or a fragment: its lines become steps.

use std::{ops::Range, sync::Arc};

use super::{
    ast::{Expectations, Send, SourceFile, Spanned, Step},
    call::read_call,
    directive::{Alone, Modifiers, read_directive},
    excerpt::Excerpt,
    exchange::{Parts, wrong_sequence},
    expectation::{Lines, read_expectations},
    include::Includes,
    mistake::Mistake,
    raw::read_raw,
};

/// What a transcript holds.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    /// The first comment.
    pub(crate) title: Option<String>,
    pub(crate) steps: Vec<Spanned<Step>>,
    pub(crate) mistakes: Vec<Mistake>,
}

/// Reads the transcript at a span of a file.
pub(crate) fn read_transcript(
    file: &Arc<SourceFile>,
    span: Range<usize>,
    includes: Includes<'_>,
) -> Transcript {
    let mut reader = Reader {
        lines: Lines {
            file,
            at: span.start,
            end: span.end,
        },
        includes,
        modifiers: Modifiers::default(),
        found: Transcript::default(),
    };
    while let Some(line) = reader.lines.peek() {
        if let Err(mistakes) = reader.line(line) {
            reader.found.mistakes.extend(mistakes);
            reader.recover();
        }
    }
    if let Err(mistakes) = reader.no_modifiers() {
        reader.found.mistakes.extend(mistakes);
    }
    reader.found
}

struct Reader<'a> {
    lines: Lines<'a>,
    includes: Includes<'a>,
    modifiers: Modifiers,
    found: Transcript,
}

impl Reader<'_> {
    fn line(&mut self, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        match self.lines.text().chars().next() {
            None | Some('#') => {
                self.no_modifiers()?;
                self.comment(&line);
                self.lines.pass(line.end);
                Ok(())
            }
            Some('@') => self.directive(line),
            Some('$') => self.call(line),
            Some('>') => self.raw(line),
            _ => Err(vec![self.no_line(line)]),
        }
    }

    fn comment(&mut self, line: &Range<usize>) {
        let text = self.lines.file.excerpt(line).trim_start_matches('#').trim();
        if self.found.title.is_none() && !text.is_empty() {
            self.found.title = Some(text.to_owned());
        }
    }

    fn no_line(&self, line: Range<usize>) -> Mistake {
        match self.lines.text().starts_with(['{', '!', '<']) {
            true => Mistake::new(self.lines.file, line, "an expectation without a step")
                .expected("expected it directly below its step or other expectations")
                .help("blank lines and comments separate steps"),
            false => Mistake::new(self.lines.file, line, "this line has no meaning here")
                .expected("expected $ varlink call …, > …, @…, an expectation, or # and a comment"),
        }
    }

    /// Modifiers stand directly above their step.
    fn no_modifiers(&mut self) -> Result<(), Vec<Mistake>> {
        let modifiers = std::mem::take(&mut self.modifiers);
        let mistakes = modifiers.all().into_iter().map(|(word, span)| {
            Mistake::new(self.lines.file, span, format!("{word} without a step"))
                .expected("expected a step on the next line")
        });
        let mistakes: Vec<_> = mistakes.collect();
        match mistakes.is_empty() {
            true => Ok(()),
            false => Err(mistakes),
        }
    }

    /// Goes on at the next step that follows a blank line.
    fn recover(&mut self) {
        self.modifiers = Modifiers::default();
        let mut blank = false;
        while let Some(line) = self.lines.peek() {
            let text = self.lines.text();
            if blank && text.starts_with(['$', '>', '@', '#']) {
                return;
            }
            blank = text.is_empty();
            self.lines.pass(line.end);
        }
    }

    fn directive(&mut self, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let alone = read_directive(self.lines.file, line.clone(), &mut self.modifiers);
        let alone = alone.map_err(|mistake| vec![mistake])?;
        self.lines.pass(line.end);
        match alone {
            None => Ok(()),
            Some(alone) => self.alone(alone, line),
        }
    }

    fn alone(&mut self, alone: Alone, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let within = match alone {
            Alone::Join(_) => self.modifiers.within.take(),
            _ => None,
        };
        self.no_modifiers()?;
        let step = match alone {
            Alone::Include(written) => return self.include(&written, line),
            Alone::Join(name) => Step::Join {
                name,
                within: within.map(|(within, _)| within),
                expect: self.needed_expectations(&line)?,
            },
            Alone::Running(name) => Step::Running(name),
            Alone::Sleep(time) => Step::Sleep(time),
            Alone::Close(name) => Step::Close(name),
            Alone::HalfClose(connection) => Step::HalfClose {
                connection,
                expect: self.expectations()?,
            },
        };
        self.push(step, line);
        Ok(())
    }

    fn push(&mut self, node: Step, span: Range<usize>) {
        let file = Arc::clone(self.lines.file);
        self.found.steps.push(Spanned { node, file, span });
    }

    fn expectations(&mut self) -> Result<Expectations, Vec<Mistake>> {
        let expect = read_expectations(&mut self.lines)?;
        match wrong_sequence(&expect, false) {
            None => Ok(expect),
            Some(mistake) => Err(vec![mistake]),
        }
    }

    fn needed_expectations(&mut self, line: &Range<usize>) -> Result<Expectations, Vec<Mistake>> {
        let expect = self.expectations()?;
        match expect.alternatives.is_empty() {
            false => Ok(expect),
            true => Err(vec![
                Mistake::new(
                    self.lines.file,
                    line.clone(),
                    "@join without an expectation",
                )
                .expected("expected a JSON object, ! ERROR or < … on the next line"),
            ]),
        }
    }

    fn include(&mut self, written: &str, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let fragment = self
            .includes
            .open(written, line)
            .map_err(|mistake| vec![mistake])?;
        let whole = 0..fragment.text.len();
        let read = read_transcript(&fragment, whole, self.includes.below(&fragment));
        self.found.steps.extend(read.steps);
        self.found.mistakes.extend(read.mistakes);
        Ok(())
    }

    fn call(&mut self, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let (send, end) = read_call(self.lines.file, line.start)?;
        self.lines.pass(end);
        self.exchange(send, line)
    }

    fn raw(&mut self, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let mut writes = Vec::new();
        while self.lines.text().starts_with('>') {
            writes.push(self.raw_line()?);
        }
        self.exchange(Send::Raw(writes), line)
    }

    /// One write. Blanks at its end are sent, so the line is taken as it is.
    fn raw_line(&mut self) -> Result<Spanned<super::template::Template>, Vec<Mistake>> {
        let file = self.lines.file;
        let rest = file
            .text
            .get(self.lines.at..self.lines.end)
            .unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let span = self.lines.at..self.lines.at + line.len();
        if !line.starts_with("> ") {
            let mistake = Mistake::new(file, span, "a raw line without a blank after >");
            return Err(vec![
                mistake.expected("expected > and a blank, then the bytes to send"),
            ]);
        }
        let source = Excerpt::of(file, span.start + 2..span.end);
        let node = read_raw(&source).map_err(|mistake| vec![mistake])?;
        self.lines.pass(span.end);
        let file = Arc::clone(file);
        Ok(Spanned { node, file, span })
    }

    fn exchange(&mut self, send: Send, line: Range<usize>) -> Result<(), Vec<Mistake>> {
        let modifiers = std::mem::take(&mut self.modifiers);
        let expect = read_expectations(&mut self.lines)?;
        let parts = Parts {
            file: self.lines.file,
            modifiers,
            send,
            line: line.clone(),
            expect,
        };
        // Where it ends is known, so that reading goes on behind it.
        match parts.assemble() {
            Ok(exchange) => self.push(Step::Exchange(exchange), line),
            Err(mistakes) => self.found.mistakes.extend(mistakes),
        }
        Ok(())
    }
}
