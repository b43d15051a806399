//! Limits, as the kernel takes them.

use serde::{Deserialize, Serialize};

/// Limits, as the kernel takes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {}
