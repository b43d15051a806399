//! The run directory: what a container's monitor and the engine know of each other.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    MonitorError,
    record::{self, ExitRecord, Init, MonitorRecord},
};
use crate::{
    settings::Log,
    sys::{
        pidfd::PidFd,
        process::{ProcessId, Signal},
        wait::{Stop, Woken, wait_for},
    },
};

/// The two directories of a container that its monitor writes to.
///
/// ```text
/// keep (survives a reboot)      init.json   the last start: process, monitor, time
///                               exit.json   how the last run ended; written last
///                               ctr.log     the log, one record a line
/// run (gone after a reboot)     monitor.json, oci/ (the runtime's state)
///                               config.json, confinement.json (the bundle), settings.json
///                               attach (SOCK_SEQPACKET), ctl (FIFO)
/// ```
#[derive(Debug, Clone)]
pub struct RunDir {
    keep: PathBuf,
    run: PathBuf,
    /// The log, where it is not in `keep`.
    log: Option<PathBuf>,
}

/// How a container stands, as its records and the kernel tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It was never started (or a start failed before its process existed).
    NeverStarted,
    /// A monitor is about to start it.
    Starting,
    /// Its process is alive, and so is its monitor.
    Running(Init),
    /// Its process is alive but its monitor was killed: output is lost, and so will be the exit code.
    Orphaned(Init),
    /// It has run and ended.
    Exited(ExitRecord),
    /// It has run and ended, but nobody was there to see how: the exit code is [`RunState::UNKNOWN_EXIT_CODE`].
    Lost(Init),
}

impl RunState {
    /// Stands for an exit code that nobody saw: the monitor was killed or the machine lost power. No process can exit with it.
    pub const UNKNOWN_EXIT_CODE: i32 = -1;

    /// Its process 1, if that is alive.
    #[must_use]
    pub fn init(&self) -> Option<&Init> {
        match self {
            Self::Running(init) | Self::Orphaned(init) => Some(init),
            _ => None,
        }
    }
}

impl RunDir {
    /// `keep` survives a reboot, `run` need not. Both are directories of this container alone; neither need exist yet.
    #[must_use]
    pub fn new(keep: impl Into<PathBuf>, run: impl Into<PathBuf>) -> Self {
        Self {
            keep: keep.into(),
            run: run.into(),
            log: None,
        }
    }

    /// The same, with the log where it was asked for.
    #[must_use]
    pub fn with_log(mut self, log: &Log) -> Self {
        self.log = match log {
            Log::File(path) => Some(path.clone()),
            Log::Own | Log::None => None,
        };
        self
    }

    /// The lasting directory.
    #[must_use]
    pub fn keep(&self) -> &Path {
        &self.keep
    }

    /// The volatile directory; it is the OCI bundle: `config.json` lies here.
    #[must_use]
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The log; see [`super::log`].
    #[must_use]
    pub fn log(&self) -> PathBuf {
        let own = || self.keep.join("ctr.log");
        self.log.clone().unwrap_or_else(own)
    }

    /// The attach socket: SOCK_SEQPACKET. A message from it is one byte 2 (stdout) or 3 (stderr) and up to 8192 bytes of output,
    /// a message to it is input, for a container that takes any.
    #[must_use]
    pub fn attach(&self) -> PathBuf {
        self.run.join("attach")
    }

    /// The control FIFO: a line `1 ROWS COLS` sets the terminal's size.
    #[must_use]
    pub fn ctl(&self) -> PathBuf {
        self.run.join("ctl")
    }

    /// The record of the last start.
    #[must_use]
    pub fn init_record(&self) -> PathBuf {
        self.keep.join("init.json")
    }

    pub(super) fn exit_record(&self) -> PathBuf {
        self.keep.join("exit.json")
    }

    pub(super) fn monitor_record(&self) -> PathBuf {
        self.run.join("monitor.json")
    }

    /// Makes both directories (0700).
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn create(&self) -> Result<(), MonitorError> {
        use std::os::unix::fs::DirBuilderExt;
        for path in [&self.keep, &self.run] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(MonitorError::file("create", path))?;
        }
        Ok(())
    }

    /// How the container stands now. Costs three small reads while it runs.
    ///
    /// # Errors
    /// If a record is unreadable or malformed; the error names the file.
    pub fn state(&self) -> Result<RunState, MonitorError> {
        let recorded: Option<MonitorRecord> = record::read(&self.monitor_record())?;
        // The monitor's life is looked at before the exit record: a monitor writes its record, then ends.
        let known = recorded.is_some();
        let alive = |process: &ProcessId| process.is_alive();
        let monitor = recorded.map(|m| m.process).filter(alive);
        let init: Option<Init> = record::read(&self.init_record())?;
        // Where its own record is lost, that of the start tells of it too.
        let other = init.as_ref().filter(|_| !known).map(|i| i.monitor.clone());
        let monitor = monitor.or_else(|| other.filter(alive));
        let exit: Option<ExitRecord> = record::read(&self.exit_record())?;
        let exit = exit.filter(|exit| init.as_ref().is_none_or(|i| i.monitor == exit.monitor));
        Ok(match (monitor, init, exit) {
            (Some(m), Some(init), None) if init.monitor == m => RunState::Running(init),
            (Some(m), _, exit) if exit.as_ref().is_none_or(|e| e.monitor != m) => {
                RunState::Starting
            }
            (_, _, Some(exit)) => RunState::Exited(exit),
            (_, Some(init), None) if init.process.is_alive() => RunState::Orphaned(init),
            (_, Some(init), None) => RunState::Lost(init),
            (_, None, None) => RunState::NeverStarted,
        })
    }

    /// How the last run that is over ended, also while another is under way.
    ///
    /// # Errors
    /// If the record is unreadable or malformed.
    pub fn last_exit(&self) -> Result<Option<ExitRecord>, MonitorError> {
        record::read(&self.exit_record())
    }

    /// A descriptor that `poll` finds readable once the current run is over, `None` if none is under way.
    ///
    /// # Errors
    /// If a record is malformed or the kernel refuses a descriptor.
    pub fn watch(&self) -> Result<Option<PidFd>, MonitorError> {
        let monitor: Option<MonitorRecord> = record::read(&self.monitor_record())?;
        if let Some(monitor) = monitor
            && let Some(fd) = open(&monitor.process)?
        {
            return Ok(Some(fd));
        }
        let state = self.state()?;
        let Some(init) = state.init() else {
            return Ok(None);
        };
        match open(&init.monitor)? {
            Some(fd) => Ok(Some(fd)),
            None => open(&init.process),
        }
    }

    /// Blocks until the current run is over, if one is under way; then [`RunDir::state`] says how it ended.
    ///
    /// # Errors
    /// If a record is malformed or poll(2) fails.
    pub fn wait(&self, stop: &Stop<'_>) -> Result<Woken, MonitorError> {
        while let Some(fd) = self.watch()? {
            let woken = wait_for(&fd, stop).map_err(|e| MonitorError::Process("wait", e))?;
            if woken == Woken::Stopped {
                return Ok(woken);
            }
            // Asked again: a monitor that was killed leaves a process that still runs.
        }
        Ok(Woken::Ready)
    }

    /// Sends a signal to the container's process 1, and never to another process that got its pid.
    ///
    /// # Errors
    /// [`MonitorError::NotRunning`] if it has ended or never started.
    pub fn signal(&self, signal: Signal) -> Result<(), MonitorError> {
        let state = self.state()?;
        let init = state.init().ok_or(MonitorError::NotRunning)?;
        let fail = |e| MonitorError::Process("signal the container", e);
        let fd = init
            .process
            .open()
            .map_err(fail)?
            .ok_or(MonitorError::NotRunning)?;
        if fd.send(signal).map_err(fail)? {
            Ok(())
        } else {
            Err(MonitorError::NotRunning)
        }
    }

    /// Removes the volatile directory; the lasting records stay.
    ///
    /// # Errors
    /// If it cannot be removed; that it is not there is no error.
    pub fn clear(&self) -> Result<(), MonitorError> {
        match fs::remove_dir_all(&self.run) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(MonitorError::file("remove", &self.run)(error))
            }
            _ => Ok(()),
        }
    }
}

/// A descriptor of a process, if it is alive.
fn open(process: &ProcessId) -> Result<Option<PidFd>, MonitorError> {
    let fail = |e| MonitorError::Process("open a process descriptor", e);
    process.open().map_err(fail)
}
