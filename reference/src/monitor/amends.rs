//! What the next daemon sets right in a run directory: starts that nobody waits for, records that are damaged.

use std::fs;

use super::{
    MonitorError, RunDir,
    record::{self, ExitRecord, Init, MonitorRecord},
};
use crate::sys::{
    process::{ProcessId, Signal},
    replace::Durability,
    wait::{Stop, wait_for},
};

impl RunDir {
    /// Kills a monitor that is about to start its container. What it has made by then is left to be cleared.
    ///
    /// # Errors
    /// If its record is malformed or it cannot be signalled.
    pub fn abandon_start(&self) -> Result<(), MonitorError> {
        let fail = |e| MonitorError::Process("signal the monitor", e);
        let Some(monitor) = self.recorded_monitor()? else {
            return Ok(());
        };
        if let Some(fd) = monitor.open().map_err(fail)? {
            fd.send(Signal::KILL).map_err(fail)?;
            wait_for(&fd, &Stop::default()).map_err(fail)?;
        }
        Ok(())
    }

    /// Writes the record of the start anew. `process` is what runs; if nothing does, the run has ended, which counts as unseen
    /// unless its end is recorded.
    ///
    /// # Errors
    /// If a record is unreadable or cannot be written.
    pub fn record_again(&self, process: Option<ProcessId>) -> Result<(), MonitorError> {
        let monitor = self.recorded_monitor()?;
        let started_at = self.monitor_started();
        if let Some(process) = process {
            let init = Init {
                // Where it is not known, the process stands for it: nobody else tells of the end.
                monitor: monitor.unwrap_or_else(|| process.clone()),
                process,
                started_at,
            };
            return record::write(&self.init_record(), &init, Durability::PowerCut);
        }
        if self.last_exit()?.is_some() {
            return Ok(());
        }
        let me = ProcessId::current()
            .map_err(|e| MonitorError::Process("read the daemon's start time", e))?;
        let exit = ExitRecord::unseen(monitor.unwrap_or(me), started_at);
        record::write(&self.exit_record(), &exit, Durability::PowerCut)
    }

    fn recorded_monitor(&self) -> Result<Option<ProcessId>, MonitorError> {
        let monitor: Option<MonitorRecord> = record::read(&self.monitor_record())?;
        Ok(monitor.map(|monitor| monitor.process))
    }

    /// When the monitor began, as far as its record tells: that is written once, as the first thing.
    fn monitor_started(&self) -> jiff::Timestamp {
        let written = fs::metadata(self.monitor_record()).and_then(|file| file.modified());
        let written = written.ok().and_then(|at| at.try_into().ok());
        written.unwrap_or_else(jiff::Timestamp::now)
    }
}
