//! What can go wrong in the engine; `api` maps each to an error of the interface.

use std::error::Error;

use crate::{monitor::MonitorError, store::StoreError};

/// An engine error.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No container of that name or id.
    #[error("no such container: {name}")]
    ContainerNotFound {
        /// As the caller gave it.
        name: String,
    },
    /// No image of that name or id.
    #[error("no such image: {name}")]
    ImageNotFound {
        /// As the caller gave it.
        name: String,
    },
    /// The request cannot be carried out; the text says why, names field and value.
    #[error("{0}")]
    Refused(String),
    /// The store, the kernel or the monitor failed.
    #[error("{context}")]
    Failed {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The runtime, or its storage, is not usable at all.
    #[error("{0}")]
    Runtime(String),
    /// The caller went away or the daemon shuts down; nobody reads the answer, or it says so.
    #[error("cancelled: {0}")]
    Cancelled(&'static str),
}

impl EngineError {
    /// For `map_err`: what failed, and why.
    pub(super) fn failed<E>(context: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let context = context.into();
        move |source| Self::Failed {
            context,
            source: source.into(),
        }
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Gone(_) => Self::Runtime(format!("the storage: {error}")),
            error => Self::failed("the store failed")(error),
        }
    }
}

impl From<MonitorError> for EngineError {
    fn from(error: MonitorError) -> Self {
        match error {
            MonitorError::Start(reason) => Self::Refused(format!("cannot start it: {reason}")),
            MonitorError::NotRunning => Self::Refused("the container is not running".into()),
            error => Self::failed("the container's monitor failed")(error),
        }
    }
}

/// An error with its causes, outermost first, in one line.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
