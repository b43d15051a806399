//! What is mounted in a container beyond its root filesystem and the defaults.

use serde::{Deserialize, Serialize};

/// What is mounted in a container beyond its root filesystem and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounts {}
