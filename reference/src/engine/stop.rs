//! StopContainer, RestartContainer, KillContainer, WaitContainer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Cancel, Engine, EngineError, Result,
    container::Container,
    pause,
    state::{Phase, State},
};
use crate::sys::{
    kill_point::{self, Point},
    process::Signal,
    wait::Stop,
};

/// How long a restart goes on waiting for the container once the daemon is asked to end, which waits for its calls a little longer.
const LAST_WAIT: Duration = Duration::from_secs(8);

/// Stops a container; one that does not run is left as it is.
pub(super) fn stop(container: &Container, timeout: Option<i64>, cancel: Cancel<'_>) -> Result<()> {
    let seconds = timeout.unwrap_or_else(|| container.record.stop_timeout.into());
    let Ok(seconds) = u64::try_from(seconds) else {
        return Err(EngineError::Refused(format!(
            "timeout: {seconds} is negative"
        )));
    };
    container.settled()?;
    let Some(run) = container.state().under_way() else {
        return Ok(());
    };
    let over = |state: &State| state.over(run);
    // A stop that has begun is carried through, whether or not its caller stays.
    let stop = Stop {
        hang_up: None,
        readable: cancel.shutdown,
    };
    if seconds > 0 {
        let signal = Signal::new(container.record.stop_signal).unwrap_or(Signal::TERM);
        container.signal(signal)?;
        kill_point::reached(Point::StopAsked);
        // Sent first: a paused container is asked before it does anything else.
        pause::resume(container, run);
        // A time that no clock reaches has no end.
        let deadline = Instant::now().checked_add(Duration::from_secs(seconds));
        if container.wait_until(&stop, deadline, over)?.is_some() {
            return Ok(());
        }
        kill_point::reached(Point::StopTimedOut);
    }
    pause::kill(container, run)?;
    kill_point::reached(Point::StopKilled);
    container.wait_until(&stop, None, over)?;
    kill_point::reached(Point::StopOver);
    Ok(())
}

impl Engine {
    /// Stops a container if it runs, and starts it.
    pub(super) fn restart(
        &self,
        container: &Arc<Container>,
        timeout: Option<i64>,
        cancel: Cancel<'_>,
    ) -> Result<()> {
        // It does not end for good.
        let _hold = self.reaper.hold(container);
        match stop(container, timeout, cancel) {
            Err(EngineError::Cancelled(why)) if !stops_soon(container)? => {
                return Err(EngineError::Cancelled(why));
            }
            Err(EngineError::Cancelled(_)) => {}
            stopped => stopped?,
        }
        kill_point::reached(Point::RestartStopped);
        match self.start(container) {
            // Another call was quicker: its run is a new one, too.
            Err(EngineError::Refused(_)) if runs(container)? => Ok(()),
            other => other,
        }
    }
}

/// Whether a container that was asked to end does so before the daemon has to.
fn stops_soon(container: &Container) -> Result<bool> {
    let end = Instant::now() + LAST_WAIT;
    let stopped = |state: &State| state.running().is_none().then_some(());
    let stopped = container.wait_until(&Stop::default(), Some(end), stopped)?;
    Ok(stopped.is_some())
}

/// Whether it runs, once that is decided.
fn runs(container: &Container) -> Result<bool> {
    container.settled()?;
    Ok(container.state().running().is_some())
}

/// Sends a signal; the answer to SIGKILL comes when it has done its work.
pub(super) fn kill(container: &Container, signal: Option<i64>) -> Result<()> {
    let signal = match signal {
        None | Some(-1) => Signal::TERM,
        Some(number) => i32::try_from(number)
            .ok()
            .and_then(Signal::new)
            .ok_or_else(|| {
                EngineError::Refused(format!("signal: {number} is not a signal from 1 to 64"))
            })?,
    };
    let not_running =
        || EngineError::Refused(format!("container {} is not running", container.id()));
    container.settled()?;
    let run = container.state().under_way().ok_or_else(not_running)?;
    let sent = match signal {
        Signal::KILL => pause::kill(container, run)?,
        _ => container.signal(signal)?,
    };
    if !sent {
        return Err(not_running());
    }
    if signal == Signal::KILL {
        container.wait_until(&Stop::default(), None, |state| state.over(run))?;
    }
    Ok(())
}

/// Blocks until the container has run and stopped.
pub(super) fn wait(container: &Container, name: &str, cancel: Cancel<'_>) -> Result<i64> {
    let stop = Stop {
        hang_up: cancel.peer,
        readable: cancel.shutdown,
    };
    let ended = {
        let state = container.state();
        state.ended
    };
    let over = |state: &State| {
        let busy = matches!(state.phase, Phase::Starting | Phase::Running(_));
        let gone = state.phase == Phase::Removed;
        match state.last {
            Some(last) if !busy || state.ended > ended => Some(Some(last.code)),
            None if gone => Some(None),
            _ => None,
        }
    };
    match container.wait_until(&stop, None, over)?.flatten() {
        Some(code) => Ok(code.into()),
        None => Err(EngineError::ContainerNotFound { name: name.into() }),
    }
}
