//! How a container stands when the engine is opened: what an earlier one began is waited for, and damaged records are made up for.

use std::{path::Path, time::Duration};

use super::{error::with_causes, supervise};
use crate::monitor::{MonitorError, RunDir, RunState};

/// How long a start may take that an earlier engine began and did not see through; in steps of [`START_STEP`].
const START_STEPS: u32 = 400;
const START_STEP: Duration = Duration::from_millis(5);

/// How a container stands. A damaged record of its monitor is set aside, which costs the exit code at most and not the container.
pub(super) fn state(dir: &RunDir, id: &str) -> RunState {
    let mut steps = 0;
    loop {
        match dir.state() {
            Ok(RunState::Starting) if steps < START_STEPS => {
                steps += 1;
                std::thread::sleep(START_STEP);
            }
            Ok(RunState::Starting) if give_up(dir, id) => {}
            Ok(state) => return state,
            Err(error) => {
                if let Err(error) = make_up_for(dir, id, error) {
                    return unknown(id, &error);
                }
            }
        }
    }
}

fn unknown(id: &str, error: &MonitorError) -> RunState {
    let error = with_causes(error);
    tracing::warn!(container = id, error, "cannot tell how a container stands");
    RunState::NeverStarted
}

/// Ends a start that nobody waits for any more: the container is then what it was before. `false` if that cannot be done.
fn give_up(dir: &RunDir, id: &str) -> bool {
    tracing::warn!(container = id, "its start takes too long and is given up");
    match dir.abandon_start() {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(container = id, error = with_causes(&error), "it goes on");
            false
        }
    }
}

/// Sets a damaged record aside. Whether there was a start must not be forgotten with its record.
fn make_up_for(dir: &RunDir, id: &str, error: MonitorError) -> Result<(), MonitorError> {
    let MonitorError::Record { path, source } = error else {
        return Err(error);
    };
    tracing::warn!(path = %path.display(), %source, "a damaged record was set aside");
    set_aside(&path)?;
    if path == dir.init_record() {
        return match supervise::record_again(dir, id) {
            // Another one, that this takes.
            Err(error @ MonitorError::Record { .. }) => {
                make_up_for(dir, id, error)?;
                supervise::record_again(dir, id)
            }
            other => other,
        };
    }
    Ok(())
}

fn set_aside(path: &Path) -> Result<(), MonitorError> {
    let mut aside = path.to_owned().into_os_string();
    aside.push(".damaged");
    std::fs::rename(path, aside).map_err(|source| MonitorError::File {
        action: "set aside",
        path: path.to_owned(),
        source,
    })
}
