//! PauseContainer and UnpauseContainer, and what lets a paused container end.

use std::time::{Duration, Instant};

use super::{
    EngineError, Result,
    container::Container,
    state::{Motion, Phase, Run, Running, State},
};
use crate::sys::{
    cgroup::{Freezer, Progress},
    process::Signal,
    wait::Stop,
};

/// How long the processes of a container may take to freeze: one that waits for a slow disk freezes when that has answered.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at a freezer, which in version 1 announces nothing; doubled each time.
const FIRST_STEP: Duration = Duration::from_micros(250);
const LONGEST_STEP: Duration = Duration::from_millis(20);

/// Freezes the processes of a running container; returns once none of them makes progress.
pub(super) fn pause(container: &Container) -> Result<()> {
    let freezer = settled(container)?;
    let run = {
        let mut state = container.state();
        let run = state.under_way();
        match state.phase.running_mut() {
            Some(running) if running.motion == Motion::Free => running.motion = Motion::Pausing,
            Some(running) => return Err(refused(container, already(running.motion))),
            None => return Err(refused(container, "is not running")),
        }
        run
    };
    let paused = match (run, &freezer) {
        (Some(run), Some(freezer)) => freeze(container, run, freezer),
        _ => Err(refused(container, "cannot be paused: it has no freezer")),
    };
    if let (Err(_), Some(run)) = (&paused, run) {
        resume(container, run);
    }
    paused
}

/// Lets the processes of a paused container go on.
pub(super) fn unpause(container: &Container) -> Result<()> {
    settled(container)?;
    let mut state = container.state();
    let paused = |running: &Running| running.motion == Motion::Paused;
    match state.running() {
        Some(running) if paused(running) => let_go(container, &mut state, Motion::Free),
        _ => Err(refused(container, "is not paused")),
    }
}

/// Lets a run go on if it is paused, or about to be.
pub(super) fn resume(container: &Container, run: Run) {
    end_pause(container, run, Motion::Free);
}

/// Sends SIGKILL to a run, which then ends even if it is paused; `false` if it has ended.
pub(super) fn kill(container: &Container, run: Run) -> Result<bool> {
    let sent = container.signal(Signal::KILL)?;
    end_pause(container, run, Motion::Dying);
    Ok(sent)
}

/// Whether a container's processes were found frozen, when an earlier engine left it running.
pub(super) fn found(container: &Container) -> Motion {
    let progress = Freezer::of(&container.cgroup())
        .ok()
        .flatten()
        .and_then(|freezer| freezer.progress().ok());
    match progress {
        // A pause that was begun can be undone, and a pause that nobody can see cannot.
        Some(Progress::Frozen | Progress::Freezing) => Motion::Paused,
        Some(Progress::Thawed) | None => Motion::Free,
    }
}

/// Waits while another call starts, pauses or removes the container.
fn settled(container: &Container) -> Result<Option<Freezer>> {
    let settled = |state: &State| match &state.phase {
        Phase::Starting | Phase::Removing => None,
        Phase::Running(running) if running.motion == Motion::Pausing => None,
        _ => Some(()),
    };
    container.wait_until(&Stop::default(), None, settled)?;
    Freezer::of(&container.cgroup()).map_err(EngineError::failed("cannot look at the freezer"))
}

/// Asks until it is done or somebody ends the pause. The state's lock is held for the asking only.
fn freeze(container: &Container, run: Run, freezer: &Freezer) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut step = FIRST_STEP;
    while !ask(container, run, freezer)? {
        if Instant::now() >= end {
            return Err(refused(container, "has a process that does not freeze"));
        }
        std::thread::sleep(step);
        step = LONGEST_STEP.min(step * 2);
    }
    Ok(())
}

/// Asks the kernel, under the lock, so that nobody who ended the pause finds it frozen afterwards. Asked every time: version 1
/// passes over a process that is made at that moment.
fn ask(container: &Container, run: Run, freezer: &Freezer) -> Result<bool> {
    let mut state = container.state();
    let Some(running) = state.of(run) else {
        return Err(refused(container, "is not running"));
    };
    if running.motion != Motion::Pausing {
        return Err(refused(container, "was stopped or killed meanwhile"));
    }
    let failed = || EngineError::failed("cannot freeze the container");
    freezer.freeze().map_err(failed())?;
    if freezer.progress().map_err(failed())? != Progress::Frozen {
        return Ok(false);
    }
    running.motion = Motion::Paused;
    state.announce();
    Ok(true)
}

fn end_pause(container: &Container, run: Run, then: Motion) {
    let mut state = container.state();
    if state.of(run).is_some()
        && let Err(error) = let_go(container, &mut state, then)
    {
        tracing::warn!(container = container.id(), %error, "cannot thaw");
    }
}

/// Thaws the container under the lock of its state. What dies goes on dying, whoever else lets it go.
fn let_go(container: &Container, state: &mut State, then: Motion) -> Result<()> {
    let Some(running) = state.phase.running_mut() else {
        return Ok(());
    };
    if matches!(running.motion, Motion::Pausing | Motion::Paused) {
        crate::sys::cgroup::thaw(&container.cgroup())
            .map_err(EngineError::failed("cannot thaw the container"))?;
    }
    if running.motion != Motion::Dying {
        running.motion = then;
    }
    state.announce();
    Ok(())
}

fn already(motion: Motion) -> &'static str {
    match motion {
        Motion::Dying => "is being killed",
        _ => "is paused already",
    }
}

fn refused(container: &Container, why: &str) -> EngineError {
    EngineError::Refused(format!("container {} {why}", container.id()))
}
