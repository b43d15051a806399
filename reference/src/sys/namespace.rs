//! Namespaces of other processes: opened, and visited.

use std::{
    fs::File,
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
};

use nix::{
    libc::{O_DIRECTORY, O_PATH},
    sched::{CloneFlags, setns},
    unistd::{chroot, fchdir},
};
use serde::{Deserialize, Serialize};

use super::process::{Pid, ProcessId};

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Message queues, semaphores, shared memory.
    Ipc,
    /// Mounts.
    Mount,
    /// Network devices and addresses.
    Network,
    /// Processes. One that visits it does not see them; its children do.
    Pid,
    /// Ids of users and groups, and capabilities. Nobody visits it: it cannot be left again.
    User,
    /// The host name.
    Uts,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Ipc => "ipc",
            Self::Mount => "mnt",
            Self::Network => "net",
            Self::Pid => "pid",
            Self::User => "user",
            Self::Uts => "uts",
        }
    }

    pub(super) const fn flag(self) -> CloneFlags {
        match self {
            Self::Ipc => CloneFlags::CLONE_NEWIPC,
            Self::Mount => CloneFlags::CLONE_NEWNS,
            Self::Network => CloneFlags::CLONE_NEWNET,
            Self::Pid => CloneFlags::CLONE_NEWPID,
            Self::User => CloneFlags::CLONE_NEWUSER,
            Self::Uts => CloneFlags::CLONE_NEWUTS,
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

/// A namespace of exactly this process. It stays what it is, whatever becomes of the process.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if the process has ended, whoever has its pid now.
pub fn open(process: &ProcessId, kind: Kind) -> io::Result<File> {
    let opened = of(&process.pid.to_string(), kind)?;
    // Asked afterwards: it had the pid when the namespace was opened.
    if process.is_alive() {
        Ok(opened)
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn of(process: &str, kind: Kind) -> io::Result<File> {
    File::open(format!("/proc/{process}/ns/{}", kind.name()))
}

/// Does something in a namespace of another process. Only for a process with one thread: it goes there itself, and back.
///
/// # Errors
/// If the namespace cannot be entered or left, or what is done fails.
pub fn visit<T>(pid: Pid, kind: Kind, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    visit_held(&of(&pid.to_string(), kind)?, kind, act)
}

/// As [`visit`], for a namespace that is open.
///
/// # Errors
/// If the namespace cannot be entered or left, or what is done fails.
pub fn visit_held<T>(
    theirs: &File,
    kind: Kind,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let ours = of("self", kind)?;
    let place = match kind {
        Kind::Mount => Some(Place::current()?),
        _ => None,
    };
    setns(theirs, kind.flag())?;
    let done = act();
    setns(&ours, kind.flag())?;
    place.map_or(Ok(()), |place| place.restore())?;
    done
}

/// Where a process is in the file system. It loses that to the root of a mount namespace that it goes to.
struct Place {
    root: File,
    directory: File,
}

impl Place {
    fn current() -> io::Result<Self> {
        let open = |path| {
            let mut options = File::options();
            options.read(true).custom_flags(O_PATH | O_DIRECTORY);
            options.open(path)
        };
        Ok(Self {
            root: open("/")?,
            directory: open(".")?,
        })
    }

    fn restore(&self) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        fchdir(self.root.as_raw_fd())?;
        chroot(".")?;
        Ok(fchdir(self.directory.as_raw_fd())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_opened_of_the_process_that_is_meant_and_of_no_later_one() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let meant = ProcessId::of(pid).unwrap();
        let opened = open(&meant, Kind::Ipc).unwrap().metadata().unwrap().ino();
        assert_eq!(
            opened,
            std::fs::metadata("/proc/self/ns/ipc").unwrap().ino()
        );
        let first = ProcessId::of(Pid::new(1).unwrap()).unwrap();
        let earlier = ProcessId {
            start_time: first.start_time,
            ..meant.clone()
        };
        let error = open(&earlier, Kind::Ipc).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(open(&meant, Kind::Ipc).is_err());
    }
}
