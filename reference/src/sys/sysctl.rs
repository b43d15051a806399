//! Kernel parameters of namespaces.

use std::{collections::BTreeMap, fs::OpenOptions, io, io::Write, path::PathBuf};

use super::{
    namespace::{Kind, visit},
    process::Pid,
};

const PARAMETERS: &str = "/proc/sys";

/// Sets parameters, by their dotted names, in the namespaces of a process. Only for a process with one thread.
///
/// # Errors
/// Which one the kernel did not take, and why.
pub fn set(pid: Pid, parameters: &BTreeMap<String, String>) -> io::Result<()> {
    for (name, value) in parameters {
        let kind = if name.starts_with("net.") {
            Kind::Network
        } else {
            Kind::Ipc
        };
        let named = |error: io::Error| {
            let text = format!("kernel parameter {name} cannot be {value:?}: {error}");
            io::Error::new(error.kind(), text)
        };
        visit(pid, kind, || write(name, value)).map_err(named)?;
    }
    Ok(())
}

/// The kernel takes a value whole or not at all, so in one call.
fn write(name: &str, value: &str) -> io::Result<()> {
    let path: PathBuf = [PARAMETERS].into_iter().chain(name.split('.')).collect();
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.write(value.as_bytes())? == value.len() {
        return Ok(());
    }
    Err(io::Error::other("not taken as a whole"))
}
