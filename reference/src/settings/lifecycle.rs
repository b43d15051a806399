//! What happens at a container's start and end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What happens at a container's start and end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {
    /// It is removed once it has ended.
    pub remove: bool,
    /// Where its monitor writes its own pid.
    pub pidfile: Option<PathBuf>,
}
