//! Clean-up: every step that was reached, in reverse, each on a connection of its own.

use std::time::{Duration, Instant};

use super::{
    exchange::{self, Message},
    finding::{Loss, at},
    line::Line,
    race::Lost,
    record::{Observation, Record},
    stage::Stage,
};
use crate::{
    endpoint::{Deadline, Reply},
    event::Finding,
    scenario::{
        ast::{Exchange, Spanned, Step},
        captures::Captures,
    },
};

/// What further steps get once the endpoint has not answered one of them.
const HURRY: Duration = Duration::from_secs(2);

/// Runs the steps; says what went wrong. The user's interrupt does not end it: it is what makes it needed.
pub(super) fn run(
    stage: &Stage<'_>,
    steps: &[&Spanned<Step>],
    captures: &Captures,
    record: &mut Record<'_>,
) -> Vec<Finding> {
    let mut time = stage.timeout;
    let mut findings = Vec::new();
    for step in steps.iter().rev() {
        let Step::Exchange(exchange) = &step.node else {
            continue;
        };
        match one(stage, exchange, step, captures, record, time) {
            Ok(()) => {}
            Err(Lost::Departed(loss)) => {
                if loss.timed_out {
                    time = time.min(HURRY);
                }
                findings.extend(loss.findings);
            }
            Err(Lost::Harness(why)) => findings.push(at(step, why, "in this step")),
            Err(Lost::Interrupted) => findings.push(at(step, "interrupted", "in this step")),
        }
    }
    findings
}

fn one(
    stage: &Stage<'_>,
    exchange: &Exchange,
    step: &Spanned<Step>,
    captures: &Captures,
    record: &mut Record<'_>,
    time: Duration,
) -> Result<(), Lost> {
    // A name that was never captured stands for something that was never made.
    let Ok(message) = Message::render(exchange, captures) else {
        return Ok(());
    };
    let give_up = Instant::now() + exchange.retry.unwrap_or_default();
    loop {
        let lost = match attempt(stage, exchange, &message, step, captures, record, time) {
            Err(Lost::Departed(loss)) if !loss.timed_out => loss,
            done => return done,
        };
        if Instant::now() >= give_up {
            return Err(Lost::Departed(lost));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn attempt(
    stage: &Stage<'_>,
    exchange: &Exchange,
    message: &Message,
    step: &Spanned<Step>,
    captures: &Captures,
    record: &mut Record<'_>,
    time: Duration,
) -> Result<(), Lost> {
    let deadline = Deadline::after(time);
    let connection = stage
        .address
        .connect(&deadline)
        .map_err(|error| Lost::Harness(error.to_string()))?;
    let mut line = Line::new("clean-up", connection);
    let sent_at = Instant::now();
    exchange::send(&mut line, message, step, record, &deadline)?;
    if exchange.expect.alternatives.is_empty() {
        return if message.oneway {
            Ok(())
        } else {
            lenient(&mut line, step, record, &deadline)
        };
    }
    let won = exchange::expect(
        &mut line,
        exchange,
        message.more,
        captures,
        record,
        &deadline,
    )?;
    exchange::check_within(exchange.within, sent_at, &won, step)
}

/// Without an expectation, success and "not found" are both fine.
fn lenient(
    line: &mut Line,
    step: &Spanned<Step>,
    record: &mut Record<'_>,
    deadline: &Deadline<'_>,
) -> Result<(), Lost> {
    loop {
        let observed = line.receive(record, deadline);
        let Observation::Message(message, _) = &observed.what else {
            return Err(Lost::Departed(Loss {
                timed_out: matches!(observed.what, Observation::Nothing),
                ..Loss::of(at(
                    step,
                    observed.what.instead_of("a reply"),
                    "in this step",
                ))
            }));
        };
        let reply = Reply::of(message);
        match reply.error {
            None if reply.continues && !deadline.left().is_zero() => {}
            None if reply.continues => {
                let message = "the replies do not end";
                return Err(Lost::Departed(Loss::of(at(step, message, "in this step"))));
            }
            None => return Ok(()),
            Some(error) if is_gone(&error) => return Ok(()),
            Some(error) => {
                let parameters: String = reply.parameters.to_string().chars().take(300).collect();
                let message = format!("the call failed with {error} {parameters}");
                return Err(Lost::Departed(Loss::of(at(step, message, "in this step"))));
            }
        }
    }
}

/// `…ContainerNotFound` and the like; that the service has no such method is another matter.
fn is_gone(error: &str) -> bool {
    error.ends_with("NotFound") && !error.starts_with("org.varlink.service.")
}
