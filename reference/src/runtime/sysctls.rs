//! Kernel parameters of a container. The runtime library could set them, but would not say which one it cannot.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::sys::{process::Pid, sysctl};

/// Their file in the bundle.
const FILE: &str = "sysctls.json";

/// Leaves them to the process that makes the container.
pub(super) fn write(parameters: &BTreeMap<String, String>, bundle: &Path) -> io::Result<()> {
    fs::write(bundle.join(FILE), serde_json::to_vec(parameters)?)
}

/// Sets those of the bundle in the namespaces of the container's first process.
pub(super) fn set(bundle: &Path, pid: Pid) -> io::Result<()> {
    let parameters: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(bundle.join(FILE))?)?;
    sysctl::set(pid, &parameters)
}
