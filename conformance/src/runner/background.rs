//! A call that is answered while other steps go on; a thread notes when each reply came.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{
    line::Line,
    record::{Observation, Observed, Record},
};
use crate::endpoint::{Connection, Deadline, FRAME_LIMIT, Received, Reply};

/// How often a wait looks whether the user interrupted the run.
const LOOK: Duration = Duration::from_millis(50);

/// Replies that are kept until they are asked for.
const KEPT_REPLIES: usize = 100_000;

/// A call in the background; dropped, its connection is closed.
#[derive(Debug)]
pub(super) struct Background {
    line: Line,
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
    /// When it was sent.
    pub(super) sent_at: Instant,
    /// Whether it asked for several replies, if it was a call.
    pub(super) more: Option<bool>,
    /// Its replies are joined and matched once.
    pub(super) collect: bool,
}

#[derive(Debug, Default)]
struct Inbox {
    arrivals: Mutex<Arrivals>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Arrivals {
    queue: VecDeque<(Instant, Received)>,
    bytes: usize,
    answered: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Arrivals> {
        // Each change under the lock is complete, so a panic elsewhere leaves nothing half done.
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what came; false once nothing more is to be received.
    fn put(&self, received: Received) -> bool {
        let mut arrivals = self.lock();
        let (mut received, mut goes_on) = (received, true);
        match &received {
            Received::Frame(frame) => {
                arrivals.bytes = arrivals.bytes.saturating_add(frame.len());
                arrivals.answered |= !Reply::parse(frame).is_ok_and(|reply| reply.continues);
                if arrivals.bytes > FRAME_LIMIT || arrivals.queue.len() >= KEPT_REPLIES {
                    (received, goes_on) = (Received::TooLarge(FRAME_LIMIT), false);
                }
            }
            _ => (arrivals.answered, goes_on) = (true, false),
        }
        arrivals.queue.push_back((Instant::now(), received));
        self.changed.notify_all();
        goes_on
    }

    fn take(&self, deadline: &Deadline<'_>) -> (Instant, Received) {
        let mut arrivals = self.lock();
        loop {
            if let Some((at, received)) = arrivals.queue.pop_front() {
                if let Received::Frame(frame) = &received {
                    arrivals.bytes = arrivals.bytes.saturating_sub(frame.len());
                }
                return (at, received);
            }
            if deadline
                .interrupt
                .is_some_and(crate::endpoint::Interrupt::is_thrown)
            {
                return (Instant::now(), Received::Interrupted);
            }
            if deadline.left().is_zero() {
                return (Instant::now(), Received::TimedOut);
            }
            let waited = self
                .changed
                .wait_timeout(arrivals, deadline.left().min(LOOK));
            arrivals = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn receive_all(mut connection: Connection, inbox: &Inbox, until: Instant) {
    let deadline = Deadline {
        at: until,
        interrupt: None,
    };
    while inbox.put(connection.receive(&deadline)) {}
}

impl Background {
    /// Receives on `line`, on which the call was sent, until a moment in time.
    pub(super) fn start(
        line: Line,
        sent_at: Instant,
        more: Option<bool>,
        until: Instant,
    ) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let (connection, shared) = (line.receiver()?, Arc::clone(&inbox));
        let thread = std::thread::Builder::new()
            .name("background call".to_owned())
            .spawn(move || receive_all(connection, &shared, until))?;
        Ok(Self {
            line,
            inbox,
            thread: Some(thread),
            sent_at,
            more,
            collect: false,
        })
    }

    /// Whether the call has its last reply, or never will.
    pub(super) fn is_answered(&self) -> bool {
        self.inbox.lock().answered
    }

    /// Waits for what comes next.
    pub(super) fn receive(&mut self, record: &mut Record<'_>, deadline: &Deadline<'_>) -> Observed {
        let (at, received) = self.inbox.take(deadline);
        record.observe(&self.line.name, &mut self.line.calls, at, received)
    }

    /// A message that came after the last reply.
    pub(super) fn stray(&mut self, record: &mut Record<'_>) -> bool {
        if !self.line.calls.all_answered() {
            return false;
        }
        let observed = self.receive(record, &Deadline::after(Duration::ZERO));
        matches!(
            observed.what,
            Observation::Message(..) | Observation::Junk(_)
        )
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.line.shut_down();
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed; the scenario has its own verdict.
            let _ = thread.join();
        }
    }
}
