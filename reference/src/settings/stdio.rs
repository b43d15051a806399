//! A container's standard streams and their log.

use serde::{Deserialize, Serialize};

/// A container's standard streams and their log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stdio {}
