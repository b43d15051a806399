//! The records that a monitor leaves in its run directory.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{MonitorError, RunState};
use crate::sys::{
    process::{ProcessId, Signal},
    replace::{self, Durability, Replacement},
};

/// No record of a monitor has more bytes.
const LARGEST: u64 = 4096;

/// What is known of a monitor while it is there (`monitor.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MonitorRecord {
    /// The monitor's process.
    pub(super) process: ProcessId,
}

/// A container's first process and when it started (`init.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    /// Process 1 of the container, as the host sees it.
    pub process: ProcessId,
    /// The monitor that looks after it.
    pub monitor: ProcessId,
    /// When it was started: RFC 3339, UTC.
    pub started_at: jiff::Timestamp,
}

/// How a run ended (`exit.json`); written last, so that once it is there the log is complete and the cgroups are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// The exit code; 128 + the signal's number if a signal ended it.
    pub code: i32,
    /// The signal that ended it, if one did.
    pub signal: Option<Signal>,
    /// Whether the kernel killed a process of it for want of memory.
    pub oom_killed: bool,
    /// When it had been started.
    pub started_at: jiff::Timestamp,
    /// When it ended.
    pub finished_at: jiff::Timestamp,
    /// The monitor that looked after this run: tells this run from an earlier one.
    pub monitor: ProcessId,
    /// Why output is missing from the log (a full disk), if some is.
    pub log_error: Option<String>,
}

impl ExitRecord {
    /// The end of a run that nobody saw.
    pub(super) fn unseen(monitor: ProcessId, started_at: jiff::Timestamp) -> Self {
        Self {
            code: RunState::UNKNOWN_EXIT_CODE,
            signal: None,
            oom_killed: false,
            started_at,
            finished_at: jiff::Timestamp::now(),
            monitor,
            log_error: None,
        }
    }
}

/// Reads a record; `None` if there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, MonitorError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(MonitorError::file("read", path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| MonitorError::Record {
            path: path.to_owned(),
            source,
        })
}

/// Writes a record in one step.
pub(super) fn write<T: Serialize>(
    path: &Path,
    record: &T,
    durability: Durability,
) -> Result<(), MonitorError> {
    put_in_place(path, prepare(path, record, durability)?)
}

/// Writes a record beside the one that there is, so that only [`put_in_place`] is left to do.
pub(super) fn prepare<T: Serialize>(
    path: &Path,
    record: &T,
    durability: Durability,
) -> Result<Replacement, MonitorError> {
    let text = serde_json::to_vec(record).map_err(|source| MonitorError::Record {
        path: path.to_owned(),
        source,
    })?;
    Replacement::write(path, &text, durability).map_err(MonitorError::file("write", path))
}

/// Sees to it that a record can be written later, whatever fills the disk meanwhile.
pub(super) fn reserve(path: &Path) -> Result<(), MonitorError> {
    replace::reserve(path, LARGEST).map_err(MonitorError::file("reserve space for", path))
}

/// Makes a prepared record the one that counts.
pub(super) fn put_in_place(path: &Path, record: Replacement) -> Result<(), MonitorError> {
    record
        .put_in_place()
        .map_err(MonitorError::file("write", path))
}
