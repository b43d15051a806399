//! The process in which the runtime library makes a container's process 1.
//!
//! The library leaves its mark on the process that it works in: directory, memory, a cgroup. So that is one of its own, which ends
//! once process 1 is there; process 1 is not its child but its parent's. It works inside the container's cgroup, where process 1
//! is born, and is not shown the hierarchies of version 1: the library would move processes in a way that takes long.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use crate::sys::{
    cgroup,
    fork::in_child,
    process::Pid,
    reap::{reap, reap_another},
};

/// Has the library make process 1, as a child of this process. `library` gives its number. Only for a process with one thread.
///
/// # Errors
/// The cause.
pub(super) fn make(
    cgroup: &Path,
    library: impl FnOnce() -> Result<Option<i32>, String>,
) -> Result<Pid, String> {
    let (reader, mut writer) = io::pipe().map_err(told)?;
    rustix::io::ioctl_fionbio(&reader, true).map_err(|error| told(error.into()))?;
    let maker = in_child(|| {
        let made = enter(cgroup).and_then(|()| library());
        if let Ok(text) = serde_json::to_vec(&made) {
            // Who does not hear of it kills the container.
            let _ = writer.write_all(&text);
        }
    })
    .map_err(told)?;
    // Not the end of the pipe, which process 1 holds too: the end of the process.
    reap(maker).map_err(told)?;
    let pid = result(reader)?;
    // The library's second process, which ends with the first.
    let _ = reap_another(pid);
    Ok(pid)
}

fn enter(cgroup: &Path) -> Result<(), String> {
    let failed = |error| format!("cannot enter the cgroup: {error}");
    cgroup::enter(cgroup).map_err(failed)?;
    cgroup::see_only(cgroup).map_err(failed)
}

fn result(mut pipe: impl Read) -> Result<Pid, String> {
    let mut text = Vec::new();
    match pipe.read_to_end(&mut text) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(told(error)),
        _ => {}
    }
    let made: Result<Option<i32>, String> = serde_json::from_slice(&text)
        .map_err(|_| "the process that makes the container was killed".to_owned())?;
    made?
        .and_then(Pid::new)
        .ok_or_else(|| "the runtime gave no process".to_owned())
}

#[expect(clippy::needless_pass_by_value)] // for map_err
fn told(error: io::Error) -> String {
    format!("cannot run the process that makes the container: {error}")
}
