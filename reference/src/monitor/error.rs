//! What can go wrong between the engine and a container's monitor.

use std::{error::Error, io, path::PathBuf};

/// A monitor error.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// A file of the run directory could not be read, written or removed.
    #[error("{action} {}", path.display())]
    File {
        /// Such as "read".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A record exists but is not what a monitor writes: truncated or corrupt.
    #[error("malformed record {}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Where it departs.
        #[source]
        source: serde_json::Error,
    },
    /// The monitor process could not be started.
    #[error("cannot start the container's monitor")]
    Launch(#[source] io::Error),
    /// The container could not be started; the text is the cause, for the caller to read.
    #[error("{0}")]
    Start(String),
    /// The monitor ended without a word; it was killed.
    #[error("the container's monitor ended before the container had started")]
    MonitorLost,
    /// The daemon died before the monitor was known.
    #[error("the daemon that asked for the start has gone")]
    Abandoned,
    /// The container has no process to act on.
    #[error("the container is not running")]
    NotRunning,
    /// The container is running, and the act needs it stopped.
    #[error("the container is running")]
    Running,
    /// A system call on a process failed.
    #[error("{0}")]
    Process(&'static str, #[source] io::Error),
}

impl MonitorError {
    /// The error with its cause, in one line: over a pipe nothing else of it comes.
    pub(super) fn told(&self) -> String {
        match self.source() {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
