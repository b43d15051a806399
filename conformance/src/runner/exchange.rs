//! One exchange: what is sent, what must come back, and in what time.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{
    finding::{Loss, at, plain},
    line::Line,
    race::{Lost, Won, race},
    record::{Observation, Observed, Record},
};
use crate::{
    endpoint::{Call, Deadline, FRAME_LIMIT, Reply, SendError},
    scenario::{
        ast::{Exchange, Expectations, Send, Spanned, Step, Within},
        captures::{Captures, UnknownCapture},
    },
};

/// What an exchange sends, captures inserted.
#[derive(Debug)]
pub(super) struct Message {
    /// One entry per write.
    pub(super) writes: Vec<Vec<u8>>,
    /// Whether several replies are asked for, if it is a call.
    pub(super) more: Option<bool>,
    /// No reply is asked for.
    pub(super) oneway: bool,
}

impl Message {
    /// Inserts the captures; `@times` makes one write of many messages.
    pub(super) fn render(exchange: &Exchange, captures: &Captures) -> Result<Self, UnknownCapture> {
        let (more, oneway) = match exchange.send {
            Send::Call { more, oneway, .. } => (Some(more), oneway),
            Send::Raw(_) => (None, false),
        };
        if exchange.times <= 1 {
            let writes = writes(&exchange.send, captures)?;
            return Ok(Self {
                writes,
                more,
                oneway,
            });
        }
        let mut all = Vec::new();
        for index in 0..exchange.times {
            all.extend(writes(&exchange.send, &indexed(captures, index))?.concat());
        }
        Ok(Self {
            writes: vec![all],
            more,
            oneway,
        })
    }
}

/// The captures, with `{{index}}`.
pub(super) fn indexed(captures: &Captures, index: usize) -> Captures {
    let mut captures = captures.clone();
    captures.set("index", index);
    captures
}

fn writes(send: &Send, captures: &Captures) -> Result<Vec<Vec<u8>>, UnknownCapture> {
    match send {
        Send::Raw(lines) => lines
            .iter()
            .map(|line| line.node.render(captures))
            .collect(),
        Send::Call {
            method,
            parameters,
            more,
            oneway,
        } => {
            let method = method.node.render_text(captures)?;
            let parameters = parameters
                .as_ref()
                .map(|text| text.node.render_text(captures));
            let parameters = parameters.transpose()?;
            let call = Call {
                method: &method,
                parameters: parameters.as_deref(),
                more: *more,
                oneway: *oneway,
            };
            Ok(vec![call.encode()])
        }
    }
}

/// Sends a message; says why if the endpoint did not take it.
pub(super) fn send(
    line: &mut Line,
    message: &Message,
    step: &Spanned<Step>,
    record: &mut Record<'_>,
    deadline: &Deadline<'_>,
) -> Result<(), Lost> {
    if line.stray(record) {
        return Err(Lost::Departed(Loss::of(stray(Some(step)))));
    }
    line.send(&message.writes, record, deadline)
        .map_err(|error| match error {
            SendError::Interrupted => Lost::Interrupted,
            SendError::Failed(_) => Lost::Harness(error.to_string()),
            SendError::Closed => {
                Lost::Departed(Loss::of(at(step, error.to_string(), "in this step")))
            }
            SendError::TimedOut { .. } => Lost::Departed(Loss {
                timed_out: true,
                ..Loss::of(at(step, error.to_string(), "in this step"))
            }),
        })
}

/// The finding about a message that no call asked for.
pub(super) fn stray(step: Option<&Spanned<Step>>) -> crate::event::Finding {
    let message = "a message came that no call asked for";
    step.map_or_else(
        || plain(message),
        |step| at(step, message, "before this step"),
    )
}

/// Waits until the expectations of an exchange hold.
pub(super) fn expect(
    line: &mut Line,
    exchange: &Exchange,
    more: Option<bool>,
    captures: &Captures,
    record: &mut Record<'_>,
    deadline: &Deadline<'_>,
) -> Result<Won, Lost> {
    let mut receive = |deadline: &Deadline<'_>| line.receive(record, deadline);
    if exchange.collect {
        return collected(&exchange.expect, captures, deadline, &mut receive);
    }
    let mut won = Won {
        captures: captures.clone(),
        last_at: None,
        closed: false,
        stray: false,
    };
    for index in 0..exchange.times.max(1) {
        let captures = if exchange.times > 1 {
            indexed(&won.captures, index)
        } else {
            won.captures
        };
        won = race(&exchange.expect, more, &captures, deadline, &mut receive)?;
    }
    won.captures.set("index", 0);
    Ok(won)
}

/// Matches the joined arrays of all replies once.
pub(super) fn collected(
    expectations: &Expectations,
    captures: &Captures,
    deadline: &Deadline<'_>,
    receive: &mut dyn FnMut(&Deadline<'_>) -> Observed,
) -> Result<Won, Lost> {
    let mut is_first = true;
    race(expectations, None, captures, deadline, &mut |deadline| {
        if std::mem::take(&mut is_first) {
            collect(deadline, receive)
        } else {
            receive(deadline)
        }
    })
}

fn collect(
    deadline: &Deadline<'_>,
    receive: &mut dyn FnMut(&Deadline<'_>) -> Observed,
) -> Observed {
    let (mut joined, mut total) = (Map::new(), 0_usize);
    loop {
        let mut observed = receive(deadline);
        let Observation::Message(message, size) = &observed.what else {
            return observed;
        };
        let reply = Reply::of(message);
        if reply.error.is_some() {
            return observed;
        }
        // Replies that never end are always there, so that no wait would notice the deadline.
        if deadline.left().is_zero() {
            observed.what = Observation::Nothing;
            return observed;
        }
        total = total.saturating_add(*size);
        if total > FRAME_LIMIT {
            let why = format!(
                "the replies together have more than {} MiB",
                FRAME_LIMIT >> 20
            );
            observed.what = Observation::Junk(why);
            return observed;
        }
        join(&mut joined, reply.parameters);
        if !reply.continues {
            observed.what = Observation::Message(json!({ "parameters": joined }), total);
            return observed;
        }
    }
}

/// Arrays grow; of anything else the last value stays.
fn join(joined: &mut Map<String, Value>, parameters: Value) {
    let Value::Object(parameters) = parameters else {
        return;
    };
    for (name, value) in parameters {
        match (joined.get_mut(&name), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(Value::Array(_)), Value::Null) => {}
            (_, value) => {
                joined.insert(name, value);
            }
        }
    }
}

/// Whether the answer came in time; the finding if not.
pub(super) fn check_within(
    within: Option<Within>,
    sent_at: Instant,
    won: &Won,
    step: &Spanned<Step>,
) -> Result<(), Lost> {
    let Some(within) = within else { return Ok(()) };
    let took = won
        .last_at
        .unwrap_or_else(Instant::now)
        .saturating_duration_since(sent_at);
    let shown = |time: Duration| format!("{:.3} s", time.as_secs_f64());
    let message = match within.at_least.filter(|least| took < *least) {
        Some(least) => format!(
            "answered after {}, expected not before {}",
            shown(took),
            shown(least)
        ),
        None if took > within.at_most => {
            let most = shown(within.at_most);
            format!("answered after {}, expected within {most}", shown(took))
        }
        None => return Ok(()),
    };
    Err(Lost::Departed(Loss::of(at(
        step,
        message,
        "the time is bounded here",
    ))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_all_replies_are_joined_and_null_adds_nothing() {
        let mut joined = Map::new();
        for reply in [
            json!({"lines": ["a"], "n": 1}),
            json!({"lines": null}),
            json!({"lines": ["b"], "n": 2}),
        ] {
            join(&mut joined, reply);
        }
        assert_eq!(Value::Object(joined), json!({"lines": ["a", "b"], "n": 2}));
    }
}
