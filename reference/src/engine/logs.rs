//! GetContainerLogs.

use std::ops::ControlFlow;

use super::{
    Cancel, EngineError, Result,
    container::Container,
    state::{Phase, State},
};
use crate::{
    monitor::log::{Batch, Follow, Followed, LogReader},
    sys::wait::Stop,
};

/// What takes the lines.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&Batch) -> ControlFlow<()>;

/// Hands over what is in the log now.
pub(super) fn read(container: &Container, sink: Sink<'_>) -> Result<()> {
    let mut reader = LogReader::open(&container.dir.log())?;
    let mut batch = Batch::default();
    while reader.next_batch(&mut batch)? || reader.rest(&mut batch) {
        if sink(&batch).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands over the log, and what comes, until the run is over that is under way or, if there was none yet, comes first.
pub(super) fn follow(container: &Container, cancel: Cancel<'_>, sink: Sink<'_>) -> Result<()> {
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
        return Ok(());
    }
    let mut follow = Follow::open(&container.dir)?;
    let mut batch = Batch::default();
    loop {
        match follow.next_batch(&mut batch, &stop)? {
            Followed::Lines if sink(&batch).is_continue() => {}
            Followed::Lines | Followed::Ended => return Ok(()),
            Followed::Stopped => return Err(EngineError::Cancelled("the stream was ended")),
        }
    }
}
