//! Who the processes are and what they may do.

use serde::{Deserialize, Serialize};

/// Who the processes are and what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {}
