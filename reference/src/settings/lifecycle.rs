//! What happens at a container's start and end.

use serde::{Deserialize, Serialize};

/// What happens at a container's start and end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {}
