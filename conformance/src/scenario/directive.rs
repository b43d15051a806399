//! Lines that begin with `@`: what changes the step below, and steps that send nothing.

use std::{ops::Range, sync::Arc, time::Duration};

use super::{
    ast::{SourceFile, Within},
    duration::{self, read_duration},
    insertion::is_name,
    mistake::Mistake,
};

/// The connection of steps that name none.
pub(crate) const MAIN: &str = "main";

/// How often a step can be sent at once.
const TIMES_LIMIT: usize = 100_000;

/// A value and the directive's bytes.
pub(crate) type Placed<T> = Option<(T, Range<usize>)>;

/// What the lines above a step say.
#[derive(Debug, Default)]
pub(crate) struct Modifiers {
    pub(crate) cleanup: Placed<()>,
    pub(crate) within: Placed<Within>,
    pub(crate) retry: Placed<Duration>,
    pub(crate) background: Placed<String>,
    pub(crate) collect: Placed<()>,
    pub(crate) times: Placed<usize>,
    pub(crate) connection: Placed<String>,
}

/// A directive that stands for itself.
#[derive(Debug)]
pub(crate) enum Alone {
    Join(String),
    Running(String),
    Sleep(Duration),
    Close(String),
    HalfClose(String),
    Include(String),
}

const KNOWN: &str = "expected @cleanup, @within, @retry, @background, @collect, @times, @connection, \
                     @join, @running, @sleep, @close, @half-close, @include or @or";

/// Reads a directive: notes it among the modifiers, or gives it back if it stands for itself.
///
/// # Errors
/// It is unknown, or what follows its word is wrong.
pub(crate) fn read_directive(
    file: &Arc<SourceFile>,
    line: Range<usize>,
    modifiers: &mut Modifiers,
) -> Result<Option<Alone>, Mistake> {
    let text = file.excerpt(&line);
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let directive = Directive {
        file,
        line: line.clone(),
        word,
        rest: rest.trim(),
    };
    match word {
        "@cleanup" => directive.note(&mut modifiers.cleanup, Directive::nothing),
        "@within" => directive.note(&mut modifiers.within, Directive::within),
        "@retry" => directive.note(&mut modifiers.retry, Directive::some_time),
        "@background" => directive.note(&mut modifiers.background, Directive::name),
        "@collect" => directive.note(&mut modifiers.collect, Directive::nothing),
        "@times" => directive.note(&mut modifiers.times, Directive::times),
        "@connection" => directive.note(&mut modifiers.connection, Directive::name),
        _ => directive.alone().map(Some),
    }
}

struct Directive<'a> {
    file: &'a Arc<SourceFile>,
    line: Range<usize>,
    word: &'a str,
    rest: &'a str,
}

impl Directive<'_> {
    fn note<T>(
        &self,
        place: &mut Placed<T>,
        read: impl Fn(&Self) -> Result<T, Mistake>,
    ) -> Result<Option<Alone>, Mistake> {
        let value = read(self)?;
        match place.replace((value, self.line.clone())) {
            None => Ok(None),
            Some((_, first)) => Err(self
                .wrong(
                    self.line.clone(),
                    format!("a second {} for one step", self.word),
                )
                .also(self.file, first, "first here")),
        }
    }

    fn alone(&self) -> Result<Alone, Mistake> {
        Ok(match self.word {
            "@join" => Alone::Join(self.name()?),
            "@running" => Alone::Running(self.name()?),
            "@sleep" => Alone::Sleep(self.some_time()?),
            "@close" => Alone::Close(self.name_or_main()?),
            "@half-close" => Alone::HalfClose(self.name_or_main()?),
            "@include" => Alone::Include(self.quoted()?),
            "@or" => {
                let mistake = self.wrong(self.line.clone(), "@or without expectations before it");
                return Err(mistake.expected("expected it between two groups of expectations"));
            }
            word => {
                let span = self.line.start..self.line.start + word.len();
                return Err(self
                    .wrong(span, format!("unknown directive {word}"))
                    .expected(KNOWN));
            }
        })
    }

    fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake::new(self.file, span, message)
    }

    /// The mistake of something else than expected behind the word.
    fn wrong_rest(&self, expected: impl Into<String>) -> Mistake {
        let (span, message) = match self.rest {
            "" => (self.line.clone(), format!("{} needs more", self.word)),
            rest => {
                let span = self.line.end - rest.len()..self.line.end;
                (span, format!("{} cannot have {rest:?}", self.word))
            }
        };
        self.wrong(span, message).expected(expected)
    }

    fn nothing(&self) -> Result<(), Mistake> {
        match self.rest {
            "" => Ok(()),
            _ => Err(self.wrong_rest("expected the end of the line")),
        }
    }

    fn name(&self) -> Result<String, Mistake> {
        match is_name(self.rest) {
            true => Ok(self.rest.to_owned()),
            false => Err(self.wrong_rest("expected a name of letters, digits, _ and -")),
        }
    }

    fn name_or_main(&self) -> Result<String, Mistake> {
        match self.rest {
            "" => Ok(MAIN.to_owned()),
            _ => self.name(),
        }
    }

    fn quoted(&self) -> Result<String, Mistake> {
        let path = self
            .rest
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        match path {
            Some(path) if !path.is_empty() && !path.contains('"') => Ok(path.to_owned()),
            _ => Err(self.wrong_rest("expected \"FILE.fragment\"")),
        }
    }

    fn some_time(&self) -> Result<Duration, Mistake> {
        let duration = read_duration(self.rest).filter(|duration| !duration.is_zero());
        duration.ok_or_else(|| self.wrong_rest(duration::FORM))
    }

    fn within(&self) -> Result<Within, Mistake> {
        let (at_least, at_most) = match self.rest.split_once("..") {
            Some((low, high)) => (Some(read_duration(low)), read_duration(high)),
            None => (None, read_duration(self.rest)),
        };
        let within = match (at_least, at_most) {
            (Some(Some(low)), Some(high)) => Within {
                at_least: Some(low),
                at_most: high,
            },
            (None, Some(high)) => Within {
                at_least: None,
                at_most: high,
            },
            _ => return Err(self.wrong_rest("expected a duration or two: 500ms, 1s..2s")),
        };
        match within.at_least {
            Some(low) if low >= within.at_most => {
                Err(self.wrong_rest("expected the lower bound first"))
            }
            _ => Ok(within),
        }
    }

    fn times(&self) -> Result<usize, Mistake> {
        let times = self
            .rest
            .parse()
            .ok()
            .filter(|times| (1..=TIMES_LIMIT).contains(times));
        times.ok_or_else(|| self.wrong_rest(format!("expected a number from 1 to {TIMES_LIMIT}")))
    }
}

impl Modifiers {
    /// Every modifier that is there: its word and its bytes.
    pub(crate) fn all(&self) -> Vec<(&'static str, Range<usize>)> {
        let places = [
            ("@cleanup", place(self.cleanup.as_ref())),
            ("@within", place(self.within.as_ref())),
            ("@retry", place(self.retry.as_ref())),
            ("@background", place(self.background.as_ref())),
            ("@collect", place(self.collect.as_ref())),
            ("@times", place(self.times.as_ref())),
            ("@connection", place(self.connection.as_ref())),
        ];
        let there = places
            .into_iter()
            .filter_map(|(word, span)| Some((word, span?)));
        there.collect()
    }
}

fn place<T>(placed: Option<&(T, Range<usize>)>) -> Option<Range<usize>> {
    placed.map(|(_, span)| span.clone())
}
