//! How a container stands: the state that calls wait for and decide by.

use super::{
    NamespaceSummary,
    clock::Time,
    sync::{Announcement, Announcer},
};
use crate::monitor::{ExitRecord, Init, RunState};

/// How a container stands.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// How many runs have ended: who waits for the end of a run sees it even if the next run has begun.
    pub(super) ended: u64,
    /// How the last run ended.
    pub(super) last: Option<Ended>,
    /// How many calls keep it from being removed by itself.
    pub(super) holds: u32,
    /// How many attempts to pause there were.
    attempts: u64,
    changes: Announcer,
}

/// What a container is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    /// It does not run; whether it ever did, [`State::last`] tells.
    Idle,
    /// A call is starting it.
    Starting,
    /// Its process is alive.
    Running(Box<Running>),
    /// A call is removing it; it does not run.
    Removing,
    /// It is gone.
    Removed,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    pub(super) init: Init,
    pub(super) namespaces: NamespaceSummary,
    pub(super) motion: Motion,
}

/// Whether the processes of a run make progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    /// They do.
    Free,
    /// A call is pausing them: this one, told from earlier and later ones.
    Pausing(Attempt),
    /// They do not.
    Paused,
    /// SIGKILL was sent. They are not paused any more, for what is frozen does not die.
    Dying,
}

/// One attempt to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(u64);

/// A run, told from earlier and later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run(u64);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// -1 if nobody saw it.
    pub(super) code: i32,
    /// Whether the kernel killed a process of it for want of memory.
    pub(super) oom_killed: bool,
    /// `None` if the record of it was lost.
    pub(super) started_at: Option<Time>,
    /// `None` if nobody saw it.
    pub(super) finished_at: Option<Time>,
}

impl From<&ExitRecord> for Ended {
    fn from(record: &ExitRecord) -> Self {
        Self {
            code: record.code,
            oom_killed: record.oom_killed,
            started_at: Some(record.started_at.into()),
            finished_at: Some(record.finished_at.into()),
        }
    }
}

impl Ended {
    /// The end of a run that is over, as the monitor's records tell; `None` if none is.
    pub(super) fn of(state: &RunState) -> Option<Self> {
        match state {
            RunState::Exited(record) => Some(record.into()),
            RunState::Lost(init) => Some(Self::unseen(Some(init.started_at.into()))),
            _ => None,
        }
    }

    /// An end that nobody saw.
    pub(super) fn unseen(started_at: Option<Time>) -> Self {
        Self {
            code: RunState::UNKNOWN_EXIT_CODE,
            oom_killed: false,
            started_at,
            finished_at: None,
        }
    }
}

impl Phase {
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Running(running) => Some(running),
            _ => None,
        }
    }
}

impl State {
    /// Of a container that does not run.
    pub(super) fn new(last: Option<Ended>) -> Self {
        Self {
            phase: Phase::Idle,
            ended: 0,
            last,
            holds: 0,
            attempts: 0,
            changes: Announcer::default(),
        }
    }

    pub(super) fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Running(running) => Some(running),
            _ => None,
        }
    }

    /// The run that is under way.
    pub(super) fn under_way(&self) -> Option<Run> {
        self.running().map(|_| Run(self.ended))
    }

    /// What is known of a run, while it is under way.
    pub(super) fn of(&mut self, run: Run) -> Option<&mut Running> {
        let is_it = self.under_way() == Some(run);
        self.phase.running_mut().filter(|_| is_it)
    }

    /// A number for an attempt to pause.
    pub(super) fn new_attempt(&mut self) -> Attempt {
        self.attempts += 1;
        Attempt(self.attempts)
    }

    /// For waits: whether a run is over.
    pub(super) fn over(&self, run: Run) -> Option<()> {
        (self.ended > run.0).then_some(())
    }

    /// Readable with the next change.
    pub(super) fn subscribe(&mut self) -> std::io::Result<Announcement> {
        self.changes.subscribe()
    }

    /// Tells those who wait that something changed.
    pub(super) fn announce(&mut self) {
        self.changes.announce();
    }

    /// `configured`, `running`, `paused` or `exited`.
    pub(super) fn status(&self) -> &'static str {
        match (&self.phase, self.last) {
            (Phase::Running(run), _) if run.motion == Motion::Paused => "paused",
            (Phase::Running(_), _) => "running",
            (_, None) => "configured",
            (_, Some(_)) => "exited",
        }
    }
}
