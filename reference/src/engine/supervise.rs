//! Joins the runtime and the monitor: starts containers and clears up after them.

use std::{error::Error, process::ExitCode};

use super::with_causes;
use crate::{
    monitor::{self, Created, Init, Launcher, MonitorError, RunDir, RunState, Streams, Workload},
    runtime::{self, Container, ContainerSetup, Pipes, cgroup_path, started_cgroup},
    sys::{
        cgroup,
        kill_point::{self, Point},
        ownership::for_owner,
        process::ProcessId,
    },
};

/// Starts a container: writes its configuration into the run directory, and returns once its program runs.
/// On an error nothing of it is left but the directories and the log.
///
/// # Errors
/// [`MonitorError::Start`] with the cause if it cannot be started.
pub fn start(
    launcher: &Launcher,
    dir: &RunDir,
    setup: &ContainerSetup,
) -> Result<Init, MonitorError> {
    dir.create()?;
    for_owner(setup.settings.owner(), || {
        setup.make_working_directory().map_err(|e| refused(&e))?;
        setup.prepare_volumes().map_err(|e| refused(&e))?;
        setup.write_files().map_err(|e| refused(&e))
    })
    .map_err(|e| refused(&e))??;
    kill_point::reached(Point::StartFiles);
    setup.write_bundle(dir.run()).map_err(|e| refused(&e))?;
    kill_point::reached(Point::StartConfigured);
    make_cgroup(dir, setup)
        .and_then(|()| launcher.launch(&setup.id, dir))
        .inspect_err(|_| {
            // The monitor has cleared up, unless it was killed. What cannot be removed is removed with the container.
            let _ = clear(dir, &setup.id);
        })
}

fn make_cgroup(dir: &RunDir, setup: &ContainerSetup) -> Result<(), MonitorError> {
    let path = cgroup_path(&setup.id, &setup.settings.resources);
    cgroup::make(&path).map_err(MonitorError::file("make the cgroup", &path))?;
    // Without it the container is as good, but its statistics tell of no disk.
    if let Err(error) = cgroup::count_disk(&path, dir.keep()) {
        tracing::warn!(setup.id, "what it reads and writes is not counted: {error}");
    }
    Ok(())
}

/// A failure before the monitor is there, with its causes.
fn refused(error: &(dyn Error + 'static)) -> MonitorError {
    MonitorError::Start(with_causes(error))
}

/// Clears up after a run that is over, however it ended: kills what is left of it (its monitor may have been killed), and
/// removes its cgroups and run directory. The log and the records stay. To be called before a container is started again or
/// removed, and for one whose state is [`RunState::Lost`]; does nothing where there is nothing to do.
///
/// # Errors
/// If something cannot be removed, or the run is not over.
pub fn clear(dir: &RunDir, id: &str) -> Result<(), MonitorError> {
    if matches!(dir.state(), Ok(RunState::Running(_) | RunState::Starting)) {
        return Err(MonitorError::Running);
    }
    let path = started_cgroup(id, dir.run());
    cgroup::remove(&path).map_err(MonitorError::file("remove the cgroup", path))?;
    dir.clear()
}

/// Records a start anew, for one whose record was damaged: what runs of it, its cgroup knows.
///
/// # Errors
/// If a record cannot be written.
pub fn record_again(dir: &RunDir, id: &str) -> Result<(), MonitorError> {
    let path = started_cgroup(id, dir.run());
    let members = cgroup::members(&path).map_err(MonitorError::file("list the cgroup", path))?;
    // The first process is the oldest one.
    let members = members
        .into_iter()
        .filter_map(|pid| ProcessId::of(pid).ok());
    dir.record_again(members.min_by_key(|process| process.start_time))
}

/// Runs this process as the one that monitors are forked from, and as each of those; its subcommand is [`monitor::SUBCOMMAND`].
/// To be called first in `main`, while there is one thread and nothing is open.
#[must_use]
pub fn run_monitors() -> ExitCode {
    let warm_up = || {
        let _ = cgroup::Hierarchies::of_host();
        runtime::warm_up();
    };
    monitor::supervise(warm_up, |id, dir, settings| {
        Container::new(id, dir.run(), settings.clone())
    })
}

impl Workload for Container {
    fn create(&mut self, streams: Streams) -> Result<Created, String> {
        let (pid, terminal) = match streams {
            Streams::Pipes {
                stdin,
                stdout,
                stderr,
            } => {
                let pipes = Pipes {
                    stdin,
                    stdout,
                    stderr,
                };
                (Self::create(self, pipes)?, None)
            }
            Streams::Terminal => {
                let (pid, master) = self.create_with_terminal()?;
                (pid, Some(master))
            }
        };
        Ok(Created { pid, terminal })
    }

    fn start(&mut self) -> Result<(), String> {
        Self::start(self)
    }

    fn oom_killed(&self) -> bool {
        Self::oom_killed(self)
    }

    fn remove(&mut self) {
        Self::remove(self);
    }
}
