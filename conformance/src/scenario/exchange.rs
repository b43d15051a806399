//! Puts a step together that sends something, and refuses what does not go together.

use std::{ops::Range, sync::Arc};

use super::{
    ast::{Exchange, Expectations, Expected, Send, SourceFile, Spanned},
    directive::{MAIN, Modifiers},
    mistake::Mistake,
};

/// A step's parts as read.
pub(crate) struct Parts<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) modifiers: Modifiers,
    pub(crate) send: Send,
    /// The first line of the step.
    pub(crate) line: Range<usize>,
    pub(crate) expect: Expectations,
}

impl Parts<'_> {
    /// The step.
    ///
    /// # Errors
    /// Every combination that cannot be.
    pub(crate) fn assemble(self) -> Result<Exchange, Vec<Mistake>> {
        let mut mistakes = self.wrong_modifiers();
        mistakes.extend(self.wrong_expectations());
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Modifiers {
            cleanup,
            within,
            retry,
            background,
            collect,
            times,
            connection,
        } = self.modifiers;
        Ok(Exchange {
            send: self.send,
            connection: connection.map_or_else(|| MAIN.to_owned(), |(name, _)| name),
            cleanup: cleanup.is_some(),
            background: background.map(|(name, _)| name),
            within: within.map(|(within, _)| within),
            retry: retry.map(|(time, _)| time),
            collect: collect.is_some(),
            times: times.map_or(1, |(times, _)| times),
            expect: self.expect,
        })
    }

    fn flags(&self) -> (bool, bool, bool) {
        match &self.send {
            Send::Call { more, oneway, .. } => (true, *more, *oneway),
            Send::Raw(_) => (false, false, false),
        }
    }

    fn wrong_modifiers(&self) -> Vec<Mistake> {
        let there = self.modifiers.all();
        let at = |word: &str| there.iter().find(|(other, _)| *other == word);
        let broken = self
            .modifier_rules()
            .into_iter()
            .filter(|(_, wrong, _)| *wrong);
        let mistakes = broken.filter_map(|(word, _, why)| {
            let (_, span) = at(word)?;
            Some(Mistake::new(
                self.file,
                span.clone(),
                format!("{word} {why}"),
            ))
        });
        mistakes.collect()
    }

    /// A directive, whether it is wrong on a step like this one, and why.
    fn modifier_rules(&self) -> [(&'static str, bool, &'static str); 11] {
        const NO_REPLY: &str = "cannot be with --oneway, which has no reply";
        const OWN_CONNECTION: &str = "has a connection of its own, so no @connection";
        let (is_call, more, oneway) = self.flags();
        let there = self.modifiers.all();
        let has = |word: &str| there.iter().any(|(other, _)| *other == word);
        [
            ("@collect", !more, "needs a call with -m"),
            ("@retry", !is_call, "is for calls, not for raw bytes"),
            ("@retry", oneway, NO_REPLY),
            ("@retry", has("@background"), "cannot be with @background"),
            ("@retry", has("@times"), "cannot be with @times"),
            ("@background", oneway, NO_REPLY),
            ("@background", has("@cleanup"), "cannot be with @cleanup"),
            ("@background", has("@connection"), OWN_CONNECTION),
            ("@cleanup", has("@connection"), OWN_CONNECTION),
            (
                "@within",
                has("@background"),
                "belongs before @join, not before @background",
            ),
            ("@within", oneway, NO_REPLY),
        ]
    }

    fn wrong_expectations(&self) -> Option<Mistake> {
        let (is_call, more, oneway) = self.flags();
        let first = self.expect.alternatives.iter().flatten().next();
        let background = self.modifiers.background.is_some();
        match first {
            Some(first) if oneway => Some(self.at(first, "a --oneway call has no reply")),
            Some(first) if background => Some(
                self.at(first, "a background step has no expectations of its own")
                    .expected("expected them below its @join"),
            ),
            // Whether raw bytes may have none depends on the next step.
            None if is_call && !oneway && !background && self.modifiers.cleanup.is_none() => Some(
                Mistake::new(
                    self.file,
                    self.line.clone(),
                    "a call without an expectation",
                )
                .expected("expected a JSON object, ! ERROR or < … on the next line"),
            ),
            _ => wrong_sequence(&self.expect, is_call && !more),
        }
    }

    fn at(&self, expected: &Spanned<Expected>, message: &str) -> Mistake {
        Mistake::new(self.file, expected.span.clone(), message)
    }
}

/// The mistake in a sequence of expectations, if there is one.
pub(crate) fn wrong_sequence(expect: &Expectations, single: bool) -> Option<Mistake> {
    expect.alternatives.iter().find_map(|group| {
        let mut replies = 0;
        let mut closed = false;
        group.iter().find_map(|expected| {
            let wrong = |message| Mistake::new(&expected.file, expected.span.clone(), message);
            if closed {
                return Some(wrong("an expectation after the end of the connection"));
            }
            match &expected.node {
                Expected::Closed => closed = true,
                Expected::Silent(_) => {}
                Expected::Reply(_) | Expected::Error { .. } | Expected::Message(_) => replies += 1,
            }
            let second = single && replies == 2;
            second.then(|| {
                wrong("a second reply to a call without -m").help("-m asks for several replies")
            })
        })
    })
}
