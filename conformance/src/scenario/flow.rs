//! What only the order of steps shows: names used before they are captured, background calls that
//! nobody joins, connections that are not open.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use super::{
    ast::{Exchange, Expectations, Expected, Send, SourceFile, Spanned, Step},
    captures::ALWAYS_THERE,
    insertion::Name,
    mistake::Mistake,
    pattern::Pattern,
};

/// Checks the steps of a scenario in their order.
pub(crate) fn check(
    steps: &[Spanned<Step>],
    file: &Arc<SourceFile>,
    case_values: &[Name],
) -> Vec<Mistake> {
    let mut flow = Flow {
        cases: case_values.iter().map(|name| name.text.as_str()).collect(),
        ever: captured_names(steps),
        ..Flow::default()
    };
    let next_steps = steps
        .iter()
        .skip(1)
        .map(|step| Some(&step.node))
        .chain([None]);
    for (step, next) in steps.iter().zip(next_steps) {
        flow.step(step, next);
    }
    flow.never_joined();
    flow.unused_case_values(file, case_values);
    flow.mistakes
}

#[derive(Default)]
struct Flow<'a> {
    cases: BTreeSet<&'a str>,
    /// Names that any step captures.
    ever: BTreeSet<&'a str>,
    /// Names that have a value here, whatever happened.
    made: BTreeSet<&'a str>,
    /// Names that may have one.
    maybe: BTreeSet<&'a str>,
    used: BTreeSet<&'a str>,
    background: BTreeMap<&'a str, Background<'a>>,
    open: BTreeSet<&'a str>,
    mistakes: Vec<Mistake>,
}

struct Background<'a> {
    step: &'a Spanned<Step>,
    joined: bool,
}

/// Where names stand.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a Arc<SourceFile>,
    cleanup: bool,
}

impl<'a> Flow<'a> {
    fn step(&mut self, step: &'a Spanned<Step>, next: Option<&Step>) {
        let place = Place {
            file: &step.file,
            cleanup: false,
        };
        match &step.node {
            Step::Exchange(exchange) => self.exchange(step, exchange, next),
            Step::Join { name, expect, .. } => {
                self.join(step, name);
                self.expectations(expect, place);
            }
            Step::Running(name) => {
                self.started(step, name);
            }
            Step::Sleep(_) => {}
            Step::Close(name) => {
                self.opened(step, name);
                self.open.remove(name.as_str());
            }
            Step::HalfClose { connection, expect } => {
                self.opened(step, connection);
                self.expectations(expect, place);
            }
        }
    }

    fn exchange(&mut self, step: &'a Spanned<Step>, exchange: &'a Exchange, next: Option<&Step>) {
        let place = Place {
            file: &step.file,
            cleanup: exchange.cleanup,
        };
        match &exchange.send {
            Send::Call {
                method, parameters, ..
            } => {
                let templates = [
                    Some(&method.node),
                    parameters.as_ref().map(|text| &text.node),
                ];
                let names = templates
                    .into_iter()
                    .flatten()
                    .flat_map(|template| template.names());
                names.for_each(|name| self.uses(name, place));
            }
            Send::Raw(writes) => {
                let names = writes.iter().flat_map(|write| write.node.names());
                names.for_each(|name| self.uses(name, place));
                self.raw_is_answered(step, exchange, next);
            }
        }
        self.expectations(&exchange.expect, place);
        match &exchange.background {
            Some(name) => self.start(step, name),
            None if !exchange.cleanup => {
                self.open.insert(&exchange.connection);
            }
            None => {}
        }
    }

    /// Raw bytes need an expectation, their own or that of the `@half-close` behind them.
    fn raw_is_answered(&mut self, step: &Spanned<Step>, exchange: &Exchange, next: Option<&Step>) {
        let half_closed = matches!(next, Some(Step::HalfClose { connection, .. }) if *connection == exchange.connection);
        let free = exchange.cleanup || exchange.background.is_some() || half_closed;
        if exchange.expect.alternatives.is_empty() && !free {
            let mistake = mistake_at(step, "raw bytes without an expectation");
            let expected = "expected a JSON object, ! ERROR or < … on the next line";
            self.mistakes.push(mistake.expected(expected));
        }
    }

    fn start(&mut self, step: &'a Spanned<Step>, name: &'a str) {
        let before = self.background.insert(
            name,
            Background {
                step,
                joined: false,
            },
        );
        if let Some(before) = before {
            let first = before.step;
            let mistake = mistake_at(step, format!("a second background call named {name:?}"));
            self.mistakes
                .push(mistake.also(&first.file, first.span.clone(), "first here"));
        }
    }

    fn started(&mut self, step: &Spanned<Step>, name: &str) -> bool {
        let message = match self.background.get(name) {
            Some(background) if !background.joined => return true,
            Some(_) => format!("the background call {name:?} was joined before"),
            None => format!("no background call is named {name:?}"),
        };
        let mistake = mistake_at(step, message);
        let expected = format!("expected @background {name} before it");
        self.mistakes.push(mistake.expected(expected));
        false
    }

    fn join(&mut self, step: &Spanned<Step>, name: &str) {
        if self.started(step, name)
            && let Some(background) = self.background.get_mut(name)
        {
            background.joined = true;
        }
    }

    fn never_joined(&mut self) {
        for (name, background) in self.background.iter().filter(|(_, one)| !one.joined) {
            let message = format!("the background call {name:?} is never joined");
            let mistake = mistake_at(background.step, message);
            self.mistakes
                .push(mistake.expected(format!("expected @join {name} after it")));
        }
    }

    fn opened(&mut self, step: &Spanned<Step>, name: &str) {
        if !self.open.contains(name) {
            let message = format!("the connection {name:?} is not open here");
            self.mistakes
                .push(mistake_at(step, message).expected("expected a step on it before"));
        }
    }

    /// Whatever group came: what all of them capture has a value, what some do may have one.
    fn expectations(&mut self, expect: &'a Expectations, place: Place<'a>) {
        let before = self.made.clone();
        let mut common: Option<BTreeSet<&str>> = None;
        for group in &expect.alternatives {
            self.made.clone_from(&before);
            group
                .iter()
                .for_each(|expected| self.expected(&expected.node, place));
            self.maybe.extend(&self.made);
            common = Some(match common {
                None => self.made.clone(),
                Some(common) => common.intersection(&self.made).copied().collect(),
            });
        }
        self.made = common.unwrap_or(before);
    }

    fn expected(&mut self, expected: &'a Expected, place: Place<'a>) {
        match expected {
            Expected::Reply(pattern) | Expected::Message(pattern) => self.pattern(pattern, place),
            Expected::Error { name, parameters } => {
                name.node.names().for_each(|name| self.uses(name, place));
                parameters
                    .iter()
                    .for_each(|pattern| self.pattern(pattern, place));
            }
            Expected::Closed | Expected::Silent(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern, place: Place<'a>) {
        let mut optional = BTreeSet::new();
        for used in pattern.names() {
            let name = used.name;
            let known_here = optional.contains(name.text.as_str());
            if used.made {
                self.makes(name, place);
                match used.optional {
                    true => optional.insert(name.text.as_str()),
                    false => self.made.insert(&name.text),
                };
            } else if !(known_here && used.optional) {
                self.uses(name, place);
            }
        }
        self.maybe.extend(optional);
    }

    fn makes(&mut self, name: &Name, place: Place<'_>) {
        if self.cases.contains(name.text.as_str()) {
            let message = format!("{:?} is a value of the cases", name.text);
            let mistake = Mistake::new(place.file, name.span.clone(), message);
            self.mistakes
                .push(mistake.expected("expected another name for the capture"));
        }
    }

    fn uses(&mut self, name: &'a Name, place: Place<'_>) {
        let text = name.text.as_str();
        self.used.insert(text);
        let there = ALWAYS_THERE.contains(&text)
            || self.cases.contains(text)
            || self.made.contains(text)
            || (place.cleanup && self.ever.contains(text));
        if !there {
            let mistake = self.unknown(text, place.file, name.span.clone());
            self.mistakes.push(mistake);
        }
    }

    fn unknown(&self, text: &str, file: &Arc<SourceFile>, span: Range<usize>) -> Mistake {
        let mut help = None;
        let message = if self.maybe.contains(text) {
            format!(
                "{text:?} may have no value here: only one group or an optional member captures it"
            )
        } else if self.ever.contains(text) {
            format!("{text:?} is captured only later")
        } else {
            help = Some(format!("the matchers are {}", super::matcher::KNOWN));
            format!("nothing captures {text:?}, and no matcher is named so")
        };
        let known = self.made.iter().chain(&self.cases).chain(&ALWAYS_THERE);
        let known: Vec<&str> = known.copied().collect();
        let mistake = Mistake::new(file, span, message);
        Mistake {
            help,
            ..mistake.expected(format!("known here: {}", known.join(", ")))
        }
    }

    fn unused_case_values(&mut self, file: &Arc<SourceFile>, case_values: &[Name]) {
        for name in case_values
            .iter()
            .filter(|name| !self.used.contains(name.text.as_str()))
        {
            let message = format!("no step inserts the value {:?}", name.text);
            let mistake = Mistake::new(file, name.span.clone(), message);
            self.mistakes
                .push(mistake.expected(format!("expected {{{{{}}}}} in a step", name.text)));
        }
    }
}

fn mistake_at(step: &Spanned<Step>, message: impl Into<String>) -> Mistake {
    Mistake::new(&step.file, step.span.clone(), message)
}

/// Every name that some step captures.
fn captured_names(steps: &[Spanned<Step>]) -> BTreeSet<&str> {
    let expectations = steps.iter().filter_map(|step| match &step.node {
        Step::Exchange(exchange) => Some(&exchange.expect),
        Step::Join { expect, .. } | Step::HalfClose { expect, .. } => Some(expect),
        Step::Running(_) | Step::Sleep(_) | Step::Close(_) => None,
    });
    let expected = expectations.flat_map(|expect| expect.alternatives.iter().flatten());
    let patterns = expected.filter_map(|expected| match &expected.node {
        Expected::Reply(pattern) | Expected::Message(pattern) => Some(pattern),
        Expected::Error { parameters, .. } => parameters.as_ref(),
        Expected::Closed | Expected::Silent(_) => None,
    });
    let names = patterns.flat_map(Pattern::names).filter(|used| used.made);
    names.map(|used| used.name.text.as_str()).collect()
}
