//! Kernel parameters of namespaces.

use std::{collections::BTreeMap, fs::OpenOptions, io, io::Write, path::PathBuf};

use rustix::{fs::Uid, thread::set_thread_res_uid};

use super::{
    namespace::{Kind, visit},
    process::Pid,
};

const PARAMETERS: &str = "/proc/sys";

/// Sets parameters, by their dotted names, in the namespaces of a process; `root` is the root user of its user namespace, where it
/// has one of its own. Only for a process with one thread.
///
/// # Errors
/// Which one the kernel did not take, and why.
pub fn set(pid: Pid, parameters: &BTreeMap<String, String>, root: Option<u32>) -> io::Result<()> {
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
        let set = || match (kind, root) {
            (Kind::Ipc, Some(root)) => as_user(root, || write(name, value)),
            _ => write(name, value),
        };
        visit(pid, kind, set).map_err(named)?;
    }
    Ok(())
}

/// The kernel gives the parameters of an ipc namespace to its root alone, whatever capabilities others have.
fn as_user<T>(uid: u32, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = rustix::process::geteuid();
    set_thread_res_uid(None, Uid::from_raw(uid), None)?;
    let done = act();
    set_thread_res_uid(None, before, None)?;
    done
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
