//! One scenario at work: its connections, captures and background calls, step after step.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    background::Background,
    exchange::{self, Message},
    finding::{Loss, at},
    line::Line,
    race::{Lost, Won, race},
    record::Record,
    stage::Stage,
};
use crate::{
    endpoint::{ConnectError, Deadline},
    event::Finding,
    scenario::{
        ast::{Exchange, Expectations, Scenario, Spanned, Step, Within},
        captures::Captures,
    },
};

/// Between two attempts of `@retry`; grows, so that a quick change is seen quickly and a slow one costs little.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(200);

/// A scenario at work.
pub(super) struct Session<'r> {
    stage: &'r Stage<'r>,
    scenario: &'r Scenario,
    deadline: Deadline<'r>,
    captures: Captures,
    lines: BTreeMap<String, Line>,
    background: BTreeMap<String, Background>,
    /// Clean-up steps that were reached.
    cleanup: Vec<&'r Spanned<Step>>,
    /// What it leaves behind.
    pub(super) record: Record<'r>,
}

impl<'r> Session<'r> {
    pub(super) fn new(
        stage: &'r Stage<'r>,
        scenario: &'r Scenario,
        captures: Captures,
        deadline: Deadline<'r>,
    ) -> Self {
        Self {
            stage,
            scenario,
            deadline,
            captures,
            lines: BTreeMap::new(),
            background: BTreeMap::new(),
            cleanup: Vec::new(),
            record: Record::new(&stage.definitions, Instant::now()),
        }
    }

    /// Runs the steps until one fails.
    pub(super) fn run(&mut self) -> Result<(), Lost> {
        for step in &self.scenario.steps {
            self.step(step)?;
        }
        Ok(())
    }

    /// What clean-up needs: the steps that were reached, and the captures.
    pub(super) fn take_cleanup(&mut self) -> (Vec<&'r Spanned<Step>>, Captures) {
        (std::mem::take(&mut self.cleanup), self.captures.clone())
    }

    /// Closes all connections; says what came on them that no call asked for.
    pub(super) fn close(&mut self) -> Vec<Finding> {
        self.background.clear();
        let mut findings = Vec::new();
        for (_, mut line) in std::mem::take(&mut self.lines) {
            if line.stray_at_end(&mut self.record) {
                findings.push(exchange::stray(self.scenario.steps.last()));
            }
        }
        findings
    }

    fn step(&mut self, step: &'r Spanned<Step>) -> Result<(), Lost> {
        match &step.node {
            Step::Exchange(exchange) if exchange.cleanup => {
                self.cleanup.push(step);
                Ok(())
            }
            Step::Exchange(exchange) => match &exchange.background {
                Some(name) => self.start(name, exchange, step),
                None => self.exchange(exchange, step),
            },
            Step::Join {
                name,
                within,
                expect,
            } => self.join(name, *within, expect, step),
            Step::Running(name) => self.running(name, step),
            Step::Sleep(time) => self.sleep(*time, step),
            Step::Close(name) => {
                self.record.note(name, "closed by the suite");
                self.lines.remove(name);
                Ok(())
            }
            Step::HalfClose { connection, expect } => self.half_close(connection, expect, step),
        }
    }

    fn exchange(&mut self, exchange: &'r Exchange, step: &'r Spanned<Step>) -> Result<(), Lost> {
        let Some(patience) = exchange.retry else {
            return self.attempt(exchange, step);
        };
        let (started, written) = (Instant::now(), self.record.length());
        let mut pause = FIRST_PAUSE;
        for attempt in 1_usize.. {
            let Err(lost) = self.attempt(exchange, step) else {
                return Ok(());
            };
            // A reply may still be under way, so the next attempt gets a connection of its own.
            self.lines.remove(&exchange.connection);
            let next = started.elapsed().saturating_add(pause);
            match lost {
                Lost::Departed(loss) if next < patience && !self.deadline.left().is_zero() => {
                    drop(loss);
                }
                lost => return Err(after_attempts(lost, attempt, started.elapsed())),
            }
            if Deadline::after(pause)
                .watching(self.deadline.interrupt)
                .sleep()
            {
                return Err(Lost::Interrupted);
            }
            self.record.forget(written);
            pause = pause.saturating_mul(2).min(LAST_PAUSE);
        }
        Ok(())
    }

    fn attempt(&mut self, exchange: &'r Exchange, step: &'r Spanned<Step>) -> Result<(), Lost> {
        let message = self.message(exchange, step)?;
        let mut line = self.line(&exchange.connection, step)?;
        let sent_at = Instant::now();
        exchange::send(&mut line, &message, step, &mut self.record, &self.deadline)?;
        if exchange.expect.alternatives.is_empty() {
            self.lines.insert(exchange.connection.clone(), line);
            return Ok(());
        }
        let won = exchange::expect(
            &mut line,
            exchange,
            message.more,
            &self.captures,
            &mut self.record,
            &self.deadline,
        )?;
        exchange::check_within(exchange.within, sent_at, &won, step)?;
        self.adopt(won, line, step)
    }

    /// Takes over the captures; the connection stays, unless its end was expected.
    fn adopt(&mut self, won: Won, line: Line, step: &'r Spanned<Step>) -> Result<(), Lost> {
        if won.stray {
            return Err(Lost::Departed(Loss::of(exchange::stray(Some(step)))));
        }
        self.captures = won.captures;
        if !won.closed {
            self.lines.insert(line.name.clone(), line);
        }
        Ok(())
    }

    fn message(&self, exchange: &Exchange, step: &Spanned<Step>) -> Result<Message, Lost> {
        Message::render(exchange, &self.captures)
            .map_err(|unknown| Lost::Harness(format!("{unknown} ({})", step.file.path.display())))
    }

    /// The connection of this name, opened if it is not open.
    fn line(&mut self, name: &str, step: &Spanned<Step>) -> Result<Line, Lost> {
        if let Some(line) = self.lines.remove(name) {
            return Ok(line);
        }
        let connection =
            self.stage
                .address
                .connect(&self.deadline)
                .map_err(|error| match error {
                    ConnectError::Local { .. } => Lost::Harness(error.to_string()),
                    ConnectError::Refused { .. } | ConnectError::TimedOut { .. } => {
                        Lost::Departed(Loss {
                            timed_out: matches!(error, ConnectError::TimedOut { .. }),
                            ..Loss::of(at(
                                step,
                                format!("{error}; it did when the run began"),
                                "for this step",
                            ))
                        })
                    }
                })?;
        self.record.note(name, "connected");
        Ok(Line::new(name, connection))
    }

    fn start(&mut self, name: &str, exchange: &Exchange, step: &Spanned<Step>) -> Result<(), Lost> {
        let message = self.message(exchange, step)?;
        let mut line = self.line(name, step)?;
        let sent_at = Instant::now();
        exchange::send(&mut line, &message, step, &mut self.record, &self.deadline)?;
        let started = Background::start(line, sent_at, message.more, self.deadline.at);
        let mut started = started
            .map_err(|error| Lost::Harness(format!("cannot wait in the background: {error}")))?;
        started.collect = exchange.collect;
        self.background.insert(name.to_owned(), started);
        Ok(())
    }

    fn called(&mut self, name: &str) -> Result<Background, Lost> {
        let found = self.background.remove(name);
        found.ok_or_else(|| {
            Lost::Harness(format!("no call was started in the background as {name:?}"))
        })
    }

    fn join(
        &mut self,
        name: &str,
        within: Option<Within>,
        expect: &Expectations,
        step: &Spanned<Step>,
    ) -> Result<(), Lost> {
        let mut background = self.called(name)?;
        let (more, sent_at, collect) = (background.more, background.sent_at, background.collect);
        let record = &mut self.record;
        let (captures, deadline) = (&self.captures, &self.deadline);
        let mut receive = |deadline: &Deadline<'_>| background.receive(record, deadline);
        let won = match collect {
            true => exchange::collected(expect, captures, deadline, &mut receive),
            false => race(expect, more, captures, deadline, &mut receive),
        }?;
        if won.stray || background.stray(&mut self.record) {
            return Err(Lost::Departed(Loss::of(exchange::stray(Some(step)))));
        }
        exchange::check_within(within, sent_at, &won, step)?;
        self.captures = won.captures;
        Ok(())
    }

    fn running(&mut self, name: &str, step: &Spanned<Step>) -> Result<(), Lost> {
        let mut background = self.called(name)?;
        if !background.is_answered() {
            self.background.insert(name.to_owned(), background);
            return Ok(());
        }
        let observed = background.receive(&mut self.record, &self.deadline);
        let message = observed.what.instead_of("the call to go on");
        Err(Lost::Departed(Loss::of(at(
            step,
            message,
            "the call goes on here",
        ))))
    }

    fn sleep(&mut self, time: Duration, step: &Spanned<Step>) -> Result<(), Lost> {
        if time > self.deadline.left() {
            let message = "the time of the scenario ends before this wait does";
            return Err(Lost::Departed(Loss {
                timed_out: true,
                ..Loss::of(at(step, message, "here"))
            }));
        }
        match Deadline::after(time)
            .watching(self.deadline.interrupt)
            .sleep()
        {
            true => Err(Lost::Interrupted),
            false => Ok(()),
        }
    }

    fn half_close(
        &mut self,
        name: &str,
        expect: &Expectations,
        step: &'r Spanned<Step>,
    ) -> Result<(), Lost> {
        let mut line = self.line(name, step)?;
        line.half_close();
        self.record.note(name, "sending side closed by the suite");
        if expect.alternatives.is_empty() {
            self.lines.insert(name.to_owned(), line);
            return Ok(());
        }
        let record = &mut self.record;
        let mut receive = |deadline: &Deadline<'_>| line.receive(record, deadline);
        let won = race(expect, None, &self.captures, &self.deadline, &mut receive)?;
        self.adopt(won, line, step)
    }
}

fn after_attempts(lost: Lost, attempts: usize, time: Duration) -> Lost {
    match lost {
        Lost::Departed(mut loss) => {
            if let Some(first) = loss.findings.first_mut() {
                let tried = format!(" ({attempts} attempts in {:.1} s)", time.as_secs_f64());
                first.message.push_str(&tried);
            }
            Lost::Departed(loss)
        }
        other => other,
    }
}
