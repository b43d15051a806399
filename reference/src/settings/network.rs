//! A container's network, and the names that it knows.

use serde::{Deserialize, Serialize};

/// A container's network, and the names that it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {}
