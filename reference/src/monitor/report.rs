//! What a monitor tells the daemon that started it, once.

use serde::{Deserialize, Serialize};

use super::Init;

/// How a start went; one JSON value, then the pipe is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Report {
    /// The container's program runs.
    Started(Init),
    /// It does not, nothing is left of the attempt, and this is why.
    Failed(String),
}
