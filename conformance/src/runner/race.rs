//! Expectations against what comes: the alternatives of a step run side by side until one holds.

use std::time::{Duration, Instant};

use super::{
    finding::{Loss, at, departures},
    record::{Observation, Observed},
};
use crate::{
    endpoint::{Deadline, Reply},
    scenario::{
        ast::{Expectations, Expected, Spanned},
        captures::Captures,
    },
};

/// An alternative that holds gives a longer one that holds so far this long to hold to its end.
const GRACE: Duration = Duration::from_millis(50);

/// The alternative that holds.
#[derive(Debug)]
pub(super) struct Won {
    /// With what it captured.
    pub(super) captures: Captures,
    /// When the last message came, or the connection ended.
    pub(super) last_at: Option<Instant>,
    /// The endpoint closed the connection, as expected.
    pub(super) closed: bool,
    /// A message that no expectation asked for.
    pub(super) stray: bool,
}

/// Why none holds.
#[derive(Debug)]
pub(super) enum Lost {
    /// The endpoint departs.
    Departed(Loss),
    /// The user interrupted the run.
    Interrupted,
    /// The fault lies on this side.
    Harness(String),
}

struct Candidate<'e> {
    expected: &'e [Spanned<Expected>],
    next: usize,
    since: Instant,
    captures: Captures,
    loss: Option<Loss>,
}

/// Runs the alternatives; `more` says whether the call asked for several replies, if it was one
/// call. `receive` waits for what comes next.
pub(super) fn race(
    expectations: &Expectations,
    more: Option<bool>,
    captures: &Captures,
    deadline: &Deadline<'_>,
    receive: &mut dyn FnMut(&Deadline<'_>) -> Observed,
) -> Result<Won, Lost> {
    let since = Instant::now();
    let start = |expected| Candidate {
        expected,
        next: 0,
        since,
        captures: captures.clone(),
        loss: None,
    };
    let candidates = expectations
        .alternatives
        .iter()
        .map(|one| start(one.as_slice()))
        .collect();
    let mut race = Race {
        candidates,
        more,
        last_at: None,
    };
    loop {
        let now = Instant::now();
        race.candidates
            .iter_mut()
            .for_each(|one| one.pass_silence(now));
        if let Some(won) = race.winner(deadline, receive) {
            return won;
        }
        let Some(until) = race.wait(deadline.at) else {
            return Err(Lost::Departed(race.closest_loss()));
        };
        let observed = receive(&deadline.no_later_than(until));
        race.feed(&observed, deadline)?;
    }
}

struct Race<'e> {
    candidates: Vec<Candidate<'e>>,
    more: Option<bool>,
    last_at: Option<Instant>,
}

impl Race<'_> {
    /// An alternative that holds to its end, once no longer one can.
    fn winner(
        &mut self,
        deadline: &Deadline<'_>,
        receive: &mut dyn FnMut(&Deadline<'_>) -> Observed,
    ) -> Option<Result<Won, Lost>> {
        let place = self.candidates.iter().position(Candidate::is_done)?;
        let winner = self.candidates.swap_remove(place);
        let last_at = self.last_at;
        let won = |closed, stray| {
            Some(Ok(Won {
                captures: winner.captures.clone(),
                last_at,
                closed,
                stray,
            }))
        };
        if winner.ended_by_close() {
            return won(true, false);
        }
        if !self
            .candidates
            .iter()
            .any(|one| one.loss.is_none() && !one.is_done())
        {
            return won(false, false);
        }
        let observed = receive(&deadline.no_later_than(Instant::now() + GRACE));
        if let Err(lost) = self.feed(&observed, deadline) {
            return Some(Err(lost));
        }
        if self.candidates.iter().any(|one| one.loss.is_none()) && observed.is_something() {
            return None;
        }
        match observed.what {
            Observation::Closed(_) => won(true, false),
            Observation::Message(..) | Observation::Junk(_) => won(false, true),
            _ => won(false, false),
        }
    }

    /// How long the next wait may last; `None` if nobody is left to wait.
    fn wait(&self, last: Instant) -> Option<Instant> {
        let live = self.candidates.iter().filter(|one| one.loss.is_none());
        live.map(|one| one.silence_ends().unwrap_or(last).min(last))
            .min()
    }

    fn feed(&mut self, observed: &Observed, deadline: &Deadline<'_>) -> Result<(), Lost> {
        match &observed.what {
            Observation::Interrupted => return Err(Lost::Interrupted),
            Observation::Broken(why) => return Err(Lost::Harness(why.clone())),
            Observation::Nothing if !deadline.left().is_zero() => return Ok(()),
            Observation::Nothing => {}
            _ => self.last_at = Some(observed.at),
        }
        for candidate in &mut self.candidates {
            if candidate.loss.is_none() && !candidate.is_done() {
                candidate.feed(observed, self.more);
            }
        }
        Ok(())
    }

    /// What the alternative that went furthest ran into.
    fn closest_loss(self) -> Loss {
        let count = self.candidates.len();
        let closest = self.candidates.into_iter().rev().max_by_key(|one| one.next);
        let mut loss = closest.and_then(|one| one.loss).unwrap_or_default();
        if let Some(first) = loss.findings.first_mut().filter(|_| count > 1) {
            first.message = format!("none of {count} alternatives holds; {}", first.message);
        }
        loss
    }
}

impl Candidate<'_> {
    fn is_done(&self) -> bool {
        self.loss.is_none() && self.next >= self.expected.len()
    }

    fn ended_by_close(&self) -> bool {
        matches!(
            self.expected.last().map(|last| &last.node),
            Some(Expected::Closed)
        )
    }

    fn silence_ends(&self) -> Option<Instant> {
        match self.expected.get(self.next)?.node {
            Expected::Silent(time) => self.since.checked_add(time),
            _ => None,
        }
    }

    fn pass_silence(&mut self, now: Instant) {
        while let Some(end) = self
            .silence_ends()
            .filter(|end| self.loss.is_none() && *end <= now)
        {
            self.step(end);
        }
    }

    fn step(&mut self, since: Instant) {
        self.next = self.next.saturating_add(1);
        self.since = since;
    }

    fn feed(&mut self, observed: &Observed, more: Option<bool>) {
        let Some(expected) = self.expected.get(self.next) else {
            return;
        };
        let met = match &expected.node {
            Expected::Silent(time) => match self.since.checked_add(*time) {
                Some(end) if observed.at > end => {
                    self.step(end);
                    return self.feed(observed, more);
                }
                _ => Err(Loss::of(at(
                    expected,
                    observed.what.instead_of("nothing"),
                    "nothing is expected here",
                ))),
            },
            Expected::Closed => match &observed.what {
                Observation::Closed(0) => Ok(()),
                other => Err(Loss {
                    timed_out: matches!(other, Observation::Nothing),
                    ..Loss::of(at(
                        expected,
                        other.instead_of("the end of the connection"),
                        "the connection ends here",
                    ))
                }),
            },
            _ => self.meet_message(expected, observed, more),
        };
        match met {
            Ok(()) => self.step(observed.at),
            Err(loss) => self.loss = Some(loss),
        }
    }

    fn meet_message(
        &mut self,
        expected: &Spanned<Expected>,
        observed: &Observed,
        more: Option<bool>,
    ) -> Result<(), Loss> {
        let Observation::Message(message, _) = &observed.what else {
            return Err(Loss {
                timed_out: matches!(observed.what, Observation::Nothing),
                ..Loss::of(at(
                    expected,
                    observed.what.instead_of("a reply"),
                    "a reply is expected here",
                ))
            });
        };
        let findings = departures(expected, message, &mut self.captures);
        if !findings.is_empty() {
            return Err(Loss {
                findings,
                timed_out: false,
            });
        }
        match (more, &expected.node) {
            (None, _) | (_, Expected::Message(_)) => Ok(()),
            (Some(more), _) => self.check_continues(expected, more, Reply::of(message).continues),
        }
    }

    fn check_continues(
        &self,
        expected: &Spanned<Expected>,
        more: bool,
        continues: bool,
    ) -> Result<(), Loss> {
        let later = self
            .expected
            .get(self.next.saturating_add(1)..)
            .unwrap_or_default();
        let is_last = !later
            .iter()
            .any(|one| matches!(one.node, Expected::Reply(_) | Expected::Error { .. }));
        let message = match (is_last, continues) {
            (true, true) if !more => {
                "the reply carries \"continues\", though the call did not ask for several replies"
            }
            (true, true) => "the reply carries \"continues\", though no further one is expected",
            (false, false) => {
                "the reply does not carry \"continues\", though further ones are expected"
            }
            _ => return Ok(()),
        };
        Err(Loss::of(at(expected, message.to_owned(), "this reply")))
    }
}
