//! A container's standard streams and their log.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A container's standard streams and their log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stdio {
    /// The three streams are a terminal of the container's own.
    pub terminal: bool,
    /// Standard input stays open, and takes what attached clients send.
    pub interactive: bool,
    /// Where output is kept.
    pub log: Log,
}

/// Where a container's output is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Log {
    /// With the container.
    #[default]
    Own,
    /// In a file of the caller's choice: absolute.
    File(PathBuf),
    /// Nowhere.
    None,
}
