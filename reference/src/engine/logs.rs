//! GetContainerLogs.

use std::ops::ControlFlow;

use super::{
    Cancel, EngineError, Result,
    container::Container,
    state::{Phase, State},
};
use crate::{
    monitor::log::{Batch, Follow, Followed, LogReader},
    settings::Log,
    sys::wait::Stop,
};

/// What takes the lines.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&Batch) -> ControlFlow<()>;

/// Hands over what is in the log now; returns the last of it.
pub(super) fn read(container: &Container, sink: Sink<'_>) -> Result<Batch> {
    check_kept(container)?;
    let mut reader = LogReader::open(&container.dir.log())?;
    let mut batch = Batch::default();
    while !reader.closing_batch(&mut batch)? {
        if sink(&batch).is_break() {
            return Ok(Batch::default());
        }
    }
    Ok(batch)
}

/// A log that is not there is empty before the first run, and lost afterwards.
fn check_kept(container: &Container) -> Result<()> {
    let state = container.state();
    let has_run = state.last.is_some() || state.running().is_some();
    let is_kept = container.record.settings.stdio.log != Log::None;
    drop(state);
    let path = container.dir.log();
    match path.try_exists() {
        Ok(false) if has_run && is_kept => Err(EngineError::Refused(format!(
            "the log of container {} is gone: {}",
            container.id(),
            path.display()
        ))),
        // Whatever else is wrong with it, its reader says.
        _ => Ok(()),
    }
}

/// Hands over the log, and what comes, until the run is over that is under way or, if there was none yet, comes first. Returns
/// what was read after that.
pub(super) fn follow(container: &Container, cancel: Cancel<'_>, sink: Sink<'_>) -> Result<Batch> {
    let stop = Stop {
        hang_up: cancel.peer,
        readable: cancel.shutdown,
    };
    let begun = |state: &State| match state.phase {
        Phase::Starting => None,
        Phase::Removed => Some(false),
        Phase::Idle | Phase::Removing if state.last.is_none() => None,
        _ => Some(true),
    };
    if container.wait_until(&stop, None, begun)? != Some(true) {
        return Ok(Batch::default());
    }
    check_kept(container)?;
    let mut follow = Follow::open(&container.dir)?;
    let mut batch = Batch::default();
    loop {
        match follow.next_batch(&mut batch, &stop)? {
            Followed::Lines if sink(&batch).is_continue() => {}
            Followed::Lines => return Ok(Batch::default()),
            Followed::Last => return Ok(batch),
            Followed::Stopped => return Err(EngineError::Cancelled("the stream was ended")),
        }
    }
}
