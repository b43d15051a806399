//! Visits to the namespaces of other processes.

use std::{fs::File, io, os::unix::fs::MetadataExt};

use nix::sched::{CloneFlags, setns};

use super::process::Pid;

/// A kind of namespace that a process can visit and leave again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Network devices and addresses.
    Network,
    /// Message queues, semaphores, shared memory.
    Ipc,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Network => "net",
            Self::Ipc => "ipc",
        }
    }

    const fn flag(self) -> CloneFlags {
        match self {
            Self::Network => CloneFlags::CLONE_NEWNET,
            Self::Ipc => CloneFlags::CLONE_NEWIPC,
        }
    }
}

/// Whether a process has a namespace that this process has not.
///
/// # Errors
/// If the process is gone, or may not be looked at.
pub fn is_apart(pid: Pid, kind: Kind) -> io::Result<bool> {
    let number = |pid: &str| {
        let status = std::fs::metadata(format!("/proc/{pid}/ns/{}", kind.name()))?;
        io::Result::Ok((status.dev(), status.ino()))
    };
    Ok(number(&pid.to_string())? != number("self")?)
}

/// Does something in a namespace of another process. Only for a process with one thread: it goes there itself, and back.
///
/// # Errors
/// If the namespace cannot be entered or left, or what is done fails.
pub fn visit<T>(pid: Pid, kind: Kind, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let theirs = File::open(format!("/proc/{pid}/ns/{}", kind.name()))?;
    let ours = File::open(format!("/proc/self/ns/{}", kind.name()))?;
    setns(&theirs, kind.flag())?;
    let done = act();
    setns(&ours, kind.flag())?;
    done
}
