//! What a caller asks for.

use std::collections::BTreeMap;

/// What to create. `None` is "not given"; the engine states each default.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The image's name or id.
    pub image: String,
    /// The container's name; generated when not given.
    pub name: Option<String>,
    /// Replaces the image's CMD.
    pub command: Vec<String>,
    /// Replaces the image's ENTRYPOINT; `Some(vec![])` clears it.
    pub entrypoint: Option<Vec<String>>,
    /// Added to the image's environment.
    pub env: BTreeMap<String, String>,
    /// The host name inside.
    pub hostname: Option<String>,
    /// The working directory, created if absent.
    pub work_dir: Option<String>,
    /// Added to the image's labels.
    pub labels: BTreeMap<String, String>,
    /// `none` or `host`.
    pub net_mode: Option<String>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<i64>,
    /// Seconds between the stop signal and SIGKILL.
    pub stop_timeout: Option<i64>,
    /// Names of fields that were given but cannot be honoured yet; the first is refused by name.
    pub unsupported: Vec<&'static str>,
}
