//! Joins the runtime and the monitor: starts containers and clears up after them.

use crate::{
    monitor::{Init, Launcher, MonitorError, RunDir},
    runtime::ContainerSetup,
};

/// Starts a container: writes its configuration into the run directory, and returns once its program runs.
/// On an error nothing of it is left but the directories and the log.
///
/// # Errors
/// [`MonitorError::Start`] with the cause if it cannot be started.
#[allow(unused_variables, clippy::todo)]
pub fn start(
    launcher: &Launcher,
    dir: &RunDir,
    setup: &ContainerSetup,
) -> Result<Init, MonitorError> {
    todo!()
}

/// Clears up after a run that is over, however it ended: kills what is left of it (after its monitor was killed), and removes
/// its cgroups and run directory. The log and the exit record stay. To be called before a container is removed or started
/// again; does nothing where there is nothing to do.
///
/// # Errors
/// If something cannot be removed.
#[allow(unused_variables, clippy::todo)]
pub fn clear(dir: &RunDir, id: &str) -> Result<(), MonitorError> {
    todo!()
}
