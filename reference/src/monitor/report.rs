//! What a monitor tells the daemon that started it, once.

use std::{
    io::{self, PipeReader, Read},
    os::fd::AsFd,
};

use nix::poll::PollTimeout;
use serde::{Deserialize, Serialize};

use super::{Init, MonitorError};
use crate::sys::{
    pidfd::PidFd,
    process::Pid,
    wait::{Stop, Woken, wait_readable},
};

/// A start that takes longer than this is given up: something it needs (a file system, a cgroup) hangs.
const START_LIMIT_MS: u16 = 60_000;

/// A zygote that has not forked after this time does not do it any more.
const FORK_LIMIT_MS: u16 = 10_000;

/// How a start went; one JSON value, then the pipe is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Report {
    /// The container's program runs.
    Started(Init),
    /// It does not, nothing is left of the attempt, and this is why.
    Failed(String),
}

impl Report {
    /// Waits for the monitor's number, which comes before the report. `None` if the zygote has ended without one. One that
    /// hangs is ended by `kill`, so that it does not fork when nobody counts on it any more.
    ///
    /// # Errors
    /// Why no monitor could be forked.
    pub(super) fn number(
        pipe: &mut PipeReader,
        kill: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Option<Pid>> {
        let limit = PollTimeout::from(FORK_LIMIT_MS);
        if wait_readable(&[pipe.as_fd()], &Stop::default(), limit)? == Woken::TimedOut {
            kill()?;
        }
        let mut number = || {
            let mut bytes = [0; 4];
            pipe.read_exact(&mut bytes)
                .map(|()| i32::from_le_bytes(bytes))
        };
        match number() {
            Ok(0) => Err(io::Error::from_raw_os_error(number()?)),
            Ok(pid) => Ok(Pid::new(pid)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the report. If the monitor ends without one, it was killed; the end of the pipe does not tell, for the container's
    /// process holds it too until its program runs.
    pub(super) fn read(mut pipe: PipeReader, monitor: &PidFd) -> Result<Self, MonitorError> {
        rustix::io::ioctl_fionbio(&pipe, true).map_err(|e| MonitorError::Launch(e.into()))?;
        let mut text = Vec::new();
        loop {
            let woken = wait_readable(
                &[pipe.as_fd(), monitor.as_fd()],
                &Stop::default(),
                PollTimeout::from(START_LIMIT_MS),
            );
            if woken.map_err(MonitorError::Launch)? == Woken::TimedOut {
                return Err(MonitorError::Start(
                    "the start took longer than 60 s".into(),
                ));
            }
            let mut chunk = [0; 4096];
            match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => text.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                // The monitor has ended, and has said nothing more.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(MonitorError::Launch(error)),
            }
        }
        serde_json::from_slice(&text).map_err(|_| MonitorError::MonitorLost)
    }
}
