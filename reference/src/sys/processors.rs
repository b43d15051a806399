//! Which processors and memory nodes the host has.

use std::{fs, io};

/// The processors that are in use, such as `0-3,6`.
///
/// # Errors
/// If /sys cannot be read.
pub fn processors() -> io::Result<String> {
    fs::read_to_string("/sys/devices/system/cpu/online")
}

/// The memory nodes, in the same form. A kernel that knows of no nodes has the one.
///
/// # Errors
/// If /sys cannot be read.
pub fn memory_nodes() -> io::Result<String> {
    match fs::read_to_string("/sys/devices/system/node/online") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok("0".into()),
        other => other,
    }
}
