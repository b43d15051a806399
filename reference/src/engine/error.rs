//! What can go wrong in the engine; `api` maps each to an error of the interface.

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
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The runtime itself is not usable on this host.
    #[error("{0}")]
    Runtime(String),
    /// The caller went away or the daemon shuts down; nobody reads the answer, or it says so.
    #[error("cancelled: {0}")]
    Cancelled(&'static str),
}
