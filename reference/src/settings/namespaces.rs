//! Which namespaces a container has of its own, and its ids.

use serde::{Deserialize, Serialize};

/// Which namespaces a container has of its own, and its ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {}
