//! A named connection of a scenario.

use std::time::{Duration, Instant};

use super::{
    calls::Calls,
    record::{Observation, Observed, Record},
};
use crate::{
    endpoint::{Connection, Deadline, SendError},
    event::Direction,
};

/// Between two writes of a step, so that they do not reach the endpoint as one.
const BETWEEN_WRITES: Duration = Duration::from_millis(5);

/// How long an endpoint may take to close after the suite has. Most close at once; one that does not
/// costs its scenarios this much, and nothing else.
const UNTIL_CLOSED: Duration = Duration::from_millis(100);

/// A connection, the calls on it, and its name for the transcript.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    connection: Connection,
    pub(super) calls: Calls,
}

impl Line {
    pub(super) fn new(name: &str, connection: Connection) -> Self {
        Self {
            name: name.to_owned(),
            connection,
            calls: Calls::default(),
        }
    }

    /// Sends, one write after the other. An endpoint that closes meanwhile is not an error here:
    /// what it answered before is still to be read.
    pub(super) fn send(
        &mut self,
        writes: &[Vec<u8>],
        record: &mut Record<'_>,
        deadline: &Deadline<'_>,
    ) -> Result<(), SendError> {
        for (index, bytes) in writes.iter().enumerate() {
            if index > 0 {
                std::thread::sleep(BETWEEN_WRITES);
            }
            record.line(&self.name, Direction::Sent, bytes);
            self.calls.sent(bytes);
            match self.connection.send(bytes, deadline) {
                Err(SendError::Closed) => {
                    record.note(&self.name, "the endpoint does not read any more");
                    return Ok(());
                }
                sent => sent?,
            }
        }
        Ok(())
    }

    /// Waits for what comes next.
    pub(super) fn receive(&mut self, record: &mut Record<'_>, deadline: &Deadline<'_>) -> Observed {
        let received = self.connection.receive(deadline);
        record.observe(&self.name, &mut self.calls, Instant::now(), received)
    }

    /// A message that no call asked for, if one has come by now.
    pub(super) fn stray(&mut self, record: &mut Record<'_>) -> bool {
        self.stray_within(Duration::ZERO, record)
    }

    /// The same at the end: an endpoint that sees the suite's end of the connection has nothing more to say once it has
    /// closed its own, so that a message that comes a moment late is not missed.
    pub(super) fn stray_at_end(&mut self, record: &mut Record<'_>) -> bool {
        if !self.calls.all_answered() {
            return false;
        }
        self.half_close();
        self.stray_within(UNTIL_CLOSED, record)
    }

    fn stray_within(&mut self, time: Duration, record: &mut Record<'_>) -> bool {
        if !self.calls.all_answered() {
            return false;
        }
        let observed = self.receive(record, &Deadline::after(time));
        matches!(
            observed.what,
            Observation::Message(..) | Observation::Junk(_)
        )
    }

    pub(super) fn half_close(&mut self) {
        self.connection.half_close();
    }

    /// Ends every wait on it, in other threads too.
    pub(super) fn shut_down(&self) {
        self.connection.shut_down();
    }

    /// A handle for another thread that receives.
    pub(super) fn receiver(&self) -> std::io::Result<Connection> {
        self.connection.try_clone()
    }
}
