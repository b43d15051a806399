//! Follows a log until its container has ended.

use std::{
    fs::OpenOptions,
    io,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
};

use nix::{
    errno::Errno,
    poll::PollTimeout,
    sys::inotify::{AddWatchFlags, InitFlags, Inotify},
};

use super::{Batch, LogReader};
use crate::{
    monitor::{MonitorError, RunDir},
    sys::{
        pidfd::PidFd,
        wait::{Stop, Woken, wait_readable},
    },
};

/// Reads a log and waits for more until the run under way is over. Woken by inotify and the monitor's pidfd; no timers.
#[derive(Debug)]
pub struct Follow {
    dir: RunDir,
    reader: LogReader,
    changes: Inotify,
    /// The run under way; `None` once it is over, from when on the log does not grow.
    run: Option<PidFd>,
}

/// What [`Follow::next_batch`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// Lines, at least one.
    Lines,
    /// The run is over, and these are its last lines, if any.
    Last,
    /// The stop condition holds.
    Stopped,
}

impl Follow {
    /// Follows from the log's beginning. If no run is under way, it ends with what is there.
    ///
    /// # Errors
    /// If the log, a record or inotify cannot be opened.
    pub fn open(dir: &RunDir) -> Result<Self, MonitorError> {
        let path = dir.log();
        let fail = |error: io::Error| MonitorError::file("follow", dir.log())(error);
        // A monitor about to start may not have made its log yet.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        let changes = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .map_err(|e| fail(e.into()))?;
        changes
            .add_watch(&path, AddWatchFlags::IN_MODIFY)
            .map_err(|e| fail(e.into()))?;
        let reader = LogReader::open_endless(&path)?;
        Ok(Self {
            dir: dir.clone(),
            reader,
            changes,
            run: dir.watch()?,
        })
    }

    /// As [`LogReader::skip_to`].
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), MonitorError> {
        self.reader.skip_to(offset)
    }

    /// Fills `batch` with the next lines, waiting for them.
    ///
    /// # Errors
    /// If the log or a record cannot be read.
    pub fn next_batch(
        &mut self,
        batch: &mut Batch,
        stop: &Stop<'_>,
    ) -> Result<Followed, MonitorError> {
        loop {
            if self.run.is_none() {
                let last = self.reader.closing_batch(batch)?;
                return Ok(if last {
                    Followed::Last
                } else {
                    Followed::Lines
                });
            }
            if self.reader.next_batch(batch)? {
                return Ok(Followed::Lines);
            }
            if self.wait(stop)? == Woken::Stopped {
                return Ok(Followed::Stopped);
            }
        }
    }

    /// Waits for a change, and notes whether the run is over. What was written before that is read after this.
    fn wait(&mut self, stop: &Stop<'_>) -> Result<Woken, MonitorError> {
        let Some(run) = &self.run else {
            return Ok(Woken::Ready);
        };
        let fail = |error| MonitorError::Process("wait for output", error);
        let fds = [self.changes.as_fd(), run.as_fd()];
        let woken = wait_readable(&fds, stop, PollTimeout::NONE).map_err(fail)?;
        match self.changes.read_events() {
            Ok(_) | Err(Errno::EINTR) => {}
            // Not the log: the run.
            Err(Errno::EAGAIN) if woken == Woken::Ready => self.run = self.dir.watch()?,
            Err(Errno::EAGAIN) => {}
            Err(error) => return Err(fail(error.into())),
        }
        Ok(woken)
    }
}
