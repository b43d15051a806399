//! The monitor process: starts one container, looks after it, and records how it ended.

mod attach;
mod control;
mod entry;
mod input;
mod output;
mod requests;
mod watch;

use std::{os::fd::OwnedFd, process::ExitCode};

use entry::Entry;
use output::Ends;
use requests::requests;
use watch::Watch;

use super::{
    Init, MonitorError, RunDir,
    log::LogWriter,
    record::{self, ExitRecord, MonitorRecord},
    report::Report,
};
use crate::{
    settings::{Log, Settings},
    sys::{
        kill_point::{self, Point},
        pidfd::PidFd,
        process::{Pid, ProcessId},
        reap::reap,
        replace::{Durability, replace},
    },
};

/// The container's side of its standard streams.
#[derive(Debug)]
pub enum Streams {
    /// Three of them.
    Pipes {
        /// Standard input; where there is none, it is at its end from the start.
        stdin: Option<OwnedFd>,
        /// Standard output.
        stdout: OwnedFd,
        /// Standard error.
        stderr: OwnedFd,
    },
    /// A terminal, which only the container's own devpts can give.
    Terminal,
}

/// A container's process that waits before its program.
#[derive(Debug)]
pub struct Created {
    /// Process 1.
    pub pid: Pid,
    /// The master of its terminal, for [`Streams::Terminal`].
    pub terminal: Option<OwnedFd>,
}

/// What a monitor starts and clears away; the engine gives it the OCI runtime.
/// Errors are causes for people to read, such as `executable "/x" not found`.
pub trait Workload {
    /// Makes the container's process 1, a child of this process that waits before its program.
    ///
    /// # Errors
    /// The cause; then nothing is left of it.
    fn create(&mut self, streams: Streams) -> Result<Created, String>;

    /// Lets process 1 run its program; returns once it does.
    ///
    /// # Errors
    /// The cause; [`Workload::remove`] follows.
    fn start(&mut self) -> Result<(), String>;

    /// Whether the kernel killed a process of it for want of memory. Asked once process 1 has ended.
    fn oom_killed(&self) -> bool;

    /// Kills what is left, and removes cgroups and the runtime's state.
    fn remove(&mut self);
}

/// Runs the process that [`super::Launcher`] started, and every monitor that is forked from it: `warm_up` does ahead what each
/// would have to do, `workload` makes the container of an id, its run directory and its settings.
#[must_use]
pub fn supervise<W: Workload>(
    warm_up: impl FnOnce(),
    workload: impl FnOnce(&str, &RunDir, &Settings) -> W,
) -> ExitCode {
    let request = match requests(warm_up) {
        Ok(Some(request)) => request,
        Ok(None) => return ExitCode::SUCCESS,
        // A person ran the subcommand by hand, or the kernel refuses.
        Err(_) => return ExitCode::from(2),
    };
    let Some(mut entry) = Entry::new(request) else {
        return ExitCode::from(2);
    };
    kill_point::reached(Point::MonitorBegun);
    let mut workload = workload(&entry.id, &entry.dir, &entry.settings);
    match start(&entry, &mut workload) {
        Ok(run) => {
            entry.report(&Report::Started(run.init.clone()));
            kill_point::reached(Point::MonitorReported);
            match run.finish(&entry.dir, &mut workload) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            entry.report(&Report::Failed(error.told()));
            ExitCode::FAILURE
        }
    }
}

/// A container that runs.
struct Run {
    init: Init,
    watch: Watch,
}

/// Starts the container. Its record is written before its program runs, and space taken for that of its end, so that a full disk is
/// noticed in time. The record counts once the program runs: until then the last run is the one that there was, also if this process is killed.
fn start(entry: &Entry, workload: &mut impl Workload) -> Result<Run, MonitorError> {
    let (dir, stdio) = (&entry.dir, &entry.settings.stdio);
    let monitor = introduce(entry)?;
    let log = match stdio.log {
        Log::None => LogWriter::none(),
        _ => LogWriter::open(&dir.log()).map_err(MonitorError::file("open", dir.log()))?,
    };
    let (streams, mut ends) =
        Ends::new(stdio).map_err(|e| MonitorError::Process("make a pipe", e))?;
    kill_point::reached(Point::MonitorOpened);
    let Created { pid, terminal } = workload.create(streams).map_err(MonitorError::Start)?;
    kill_point::reached(Point::MonitorCreated);
    let run = identify(pid, monitor).and_then(|(init, process)| {
        if let Some(master) = terminal {
            ends.set_terminal(master, stdio.interactive)
                .map_err(|e| MonitorError::Process("use the terminal", e))?;
        }
        let record = record::prepare(&dir.init_record(), &init, Durability::PowerCut)?;
        record::reserve(&dir.exit_record())?;
        kill_point::reached(Point::MonitorPrepared);
        let watch = Watch::new(dir, pid, process, ends, log)?;
        kill_point::reached(Point::MonitorListening);
        workload.start().map_err(MonitorError::Start)?;
        kill_point::reached(Point::MonitorStarted);
        record::put_in_place(&dir.init_record(), record)?;
        kill_point::reached(Point::MonitorStartRecorded);
        Ok(Run { init, watch })
    });
    if run.is_err() {
        workload.remove();
        let _ = reap(pid);
    }
    run
}

/// Records this process. If the daemon died before that, the next one may have looked already, and holds the start for one that
/// never was: so it must be. If it dies later, the next one sees the record.
fn introduce(entry: &Entry) -> Result<ProcessId, MonitorError> {
    let monitor = ProcessId::current()
        .map_err(|e| MonitorError::Process("read the monitor's start time", e))?;
    let record = MonitorRecord {
        process: monitor.clone(),
    };
    record::write(&entry.dir.monitor_record(), &record, Durability::Processes)?;
    if !entry.is_awaited() {
        return Err(MonitorError::Abandoned);
    }
    if let Some(path) = &entry.settings.lifecycle.pidfile {
        let pid = monitor.pid.to_string();
        replace(path, pid.as_bytes(), Durability::Processes)
            .map_err(MonitorError::file("write", path))?;
    }
    kill_point::reached(Point::MonitorRecorded);
    Ok(monitor)
}

fn identify(pid: Pid, monitor: ProcessId) -> Result<(Init, PidFd), MonitorError> {
    let fail = |e| MonitorError::Process("look at the container's process", e);
    let process = ProcessId::of(pid).map_err(fail)?;
    let fd = PidFd::open(pid)
        .map_err(fail)?
        .ok_or(MonitorError::NotRunning)?;
    let init = Init {
        process,
        monitor,
        started_at: jiff::Timestamp::now(),
    };
    Ok((init, fd))
}

impl Run {
    /// Looks after it until it ends; then clears it away, completes the log, and writes the exit record last.
    fn finish(mut self, dir: &RunDir, workload: &mut impl Workload) -> Result<(), MonitorError> {
        let status = self.watch.until_exit()?;
        kill_point::reached(Point::MonitorEnded);
        let finished_at = jiff::Timestamp::now();
        let oom_killed = workload.oom_killed();
        // Removed before the last read: with a shared pid namespace, processes may be left that hold the pipes.
        workload.remove();
        kill_point::reached(Point::MonitorRemoved);
        let log_error = self.watch.finish().map(|error| error.to_string());
        kill_point::reached(Point::MonitorLogged);
        let exit = ExitRecord {
            code: status.code,
            signal: status.signal,
            oom_killed,
            started_at: self.init.started_at,
            finished_at,
            monitor: self.init.monitor,
            log_error,
        };
        record::write(&dir.exit_record(), &exit, Durability::PowerCut)?;
        kill_point::reached(Point::MonitorEndRecorded);
        Ok(())
    }
}
