//! PauseContainer and UnpauseContainer, and what lets a paused container end.

use std::time::{Duration, Instant};

use super::{
    EngineError, Result,
    container::Container,
    error::with_causes,
    state::{Attempt, Motion, Phase, Run, Running, State},
};
use crate::sys::{
    cgroup::{Freezer, Progress},
    kill_point::{self, Point},
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
    let Some(freezer) = freezer else {
        return Err(match container.state().running() {
            Some(_) => refused(container, "cannot be paused: it has no freezer"),
            None => refused(container, "is not running"),
        });
    };
    let pausing = Pausing::begin(container)?;
    kill_point::reached(Point::PauseAsked);
    if !patiently(|| pausing.ask(&freezer))? {
        return Err(refused(container, "has a process that does not freeze"));
    }
    kill_point::reached(Point::PauseNoted);
    Ok(())
}

/// A pause under way. Should it fail, even by a panic, the container goes on.
struct Pausing<'a> {
    container: &'a Container,
    attempt: Attempt,
}

impl<'a> Pausing<'a> {
    fn begin(container: &'a Container) -> Result<Self> {
        let mut state = container.state();
        let attempt = state.new_attempt();
        match state.phase.running_mut() {
            Some(running) if running.motion == Motion::Free => {
                running.motion = Motion::Pausing(attempt);
                Ok(Self { container, attempt })
            }
            Some(running) => Err(refused(container, already(running.motion))),
            None => Err(refused(container, "is not running")),
        }
    }

    /// Asks the kernel, under the lock, so that nobody who ended the pause finds it frozen afterwards.
    fn ask(&self, freezer: &Freezer) -> Result<bool> {
        let mut state = self.container.state();
        let Some(running) = self.of(&mut state) else {
            return Err(refused(self.container, "was stopped or killed meanwhile"));
        };
        if !freeze(freezer)? {
            return Ok(false);
        }
        // What ends does not freeze, and waits in its last moments for the others, which were killed and cannot die.
        if running.init.process.is_ending() {
            return Err(refused(self.container, "is not running"));
        }
        kill_point::reached(Point::PauseFrozen);
        running.motion = Motion::Paused;
        state.announce();
        Ok(true)
    }

    /// The run that is being paused, unless somebody ended that.
    fn of<'s>(&self, state: &'s mut State) -> Option<&'s mut Running> {
        let mine = |running: &&mut Running| running.motion == Motion::Pausing(self.attempt);
        state.phase.running_mut().filter(mine)
    }
}

impl Drop for Pausing<'_> {
    fn drop(&mut self) {
        let mut state = self.container.state();
        if self.of(&mut state).is_some() {
            end(self.container, &mut state, Motion::Free);
        }
    }
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

/// Whether a container's processes were found frozen, when an earlier engine left it running. A pause that it had begun is
/// completed, or undone where that cannot be.
pub(super) fn found(container: &Container) -> Motion {
    let Ok(Some(freezer)) = Freezer::of(&container.cgroup()) else {
        return Motion::Free;
    };
    let completed = match freezer.progress() {
        Ok(Progress::Frozen) => return Motion::Paused,
        Ok(Progress::Thawed) | Err(_) => return Motion::Free,
        Ok(Progress::Freezing) => patiently(|| freeze(&freezer)),
    };
    if completed.is_ok_and(|frozen| frozen) {
        return Motion::Paused;
    }
    match freezer.thaw() {
        Ok(()) => Motion::Free,
        Err(error) => {
            tracing::warn!(container = container.id(), %error, "cannot thaw");
            Motion::Paused
        }
    }
}

/// Waits while another call starts, pauses or removes the container.
fn settled(container: &Container) -> Result<Option<Freezer>> {
    let settled = |state: &State| match &state.phase {
        Phase::Starting | Phase::Removing => None,
        Phase::Running(running) if matches!(running.motion, Motion::Pausing(_)) => None,
        _ => Some(()),
    };
    container.wait_until(&Stop::default(), None, settled)?;
    Freezer::of(&container.cgroup()).map_err(EngineError::failed("cannot look at the freezer"))
}

/// Asks until it is done, or for as long as a pause may take.
fn patiently(mut is_done: impl FnMut() -> Result<bool>) -> Result<bool> {
    let end = Instant::now() + PATIENCE;
    let mut step = FIRST_STEP;
    loop {
        match is_done()? {
            false if Instant::now() < end => std::thread::sleep(step),
            done => return Ok(done),
        }
        step = LONGEST_STEP.min(step * 2);
    }
}

/// Asks the kernel once. To be asked every time: version 1 passes over a process that is made at that moment.
fn freeze(freezer: &Freezer) -> Result<bool> {
    let failed = || EngineError::failed("cannot freeze the container");
    freezer.freeze().map_err(failed())?;
    Ok(freezer.progress().map_err(failed())? == Progress::Frozen)
}

fn end_pause(container: &Container, run: Run, then: Motion) {
    let mut state = container.state();
    if state.of(run).is_some() {
        end(container, &mut state, then);
    }
}

fn end(container: &Container, state: &mut State, then: Motion) {
    if let Err(error) = let_go(container, state, then) {
        tracing::warn!(
            container = container.id(),
            error = with_causes(&error),
            "cannot thaw"
        );
        // It can be unpaused once that is possible; nobody is to wait for a pause that has failed.
        if let Some(running) = state.phase.running_mut()
            && matches!(running.motion, Motion::Pausing(_))
        {
            running.motion = Motion::Paused;
            state.announce();
        }
    }
}

/// Thaws the container under the lock of its state. What dies goes on dying, whoever else lets it go.
fn let_go(container: &Container, state: &mut State, then: Motion) -> Result<()> {
    let Some(running) = state.phase.running_mut() else {
        return Ok(());
    };
    if matches!(running.motion, Motion::Pausing(_) | Motion::Paused) {
        crate::sys::cgroup::thaw(&container.cgroup())
            .map_err(EngineError::failed("cannot thaw the container"))?;
        kill_point::reached(Point::UnpauseThawed);
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
