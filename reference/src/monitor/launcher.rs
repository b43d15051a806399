//! Starts monitors: the daemon's side of a container's start.

use std::{
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Init, MonitorError, RunDir, report::Report};
use crate::sys::{
    kill_point::{self, Point},
    memfd::SealedProgram,
    pidfd::PidFd,
    process::Pid,
};

/// The hidden subcommand that makes the program a monitor.
pub const SUBCOMMAND: &str = "monitor";

/// Starts monitors; one per daemon.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    sealed: OnceLock<SealedProgram>,
    children: Mutex<Vec<Child>>,
}

impl Launcher {
    /// Monitors will run `program`, which must answer [`SUBCOMMAND`]: usually /proc/self/exe.
    /// They run from a sealed copy in memory, made at the first start, so that no container can reach the file.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            sealed: OnceLock::new(),
            children: Mutex::new(Vec::new()),
        }
    }

    /// Starts a monitor for the container that the bundle in `dir` describes, and waits until the container's program
    /// runs. The monitor outlives this process. On an error nothing of the container runs.
    ///
    /// # Errors
    /// [`MonitorError::Start`] with the cause if the container could not be started.
    pub fn launch(&self, id: &str, dir: &RunDir) -> Result<Init, MonitorError> {
        self.reap();
        let (reader, writer) = io::pipe().map_err(MonitorError::Launch)?;
        let child = self.spawn(id, dir, writer.into())?;
        let pid = child.id();
        // Before anybody collects it, so that the number is still its own.
        let monitor = descriptor(&child)?;
        self.children().push(child);
        kill_point::reached(Point::StartSpawned);
        let report = Report::read(reader, &monitor);
        kill_point::reached(Point::StartReported);
        match report {
            Ok(Report::Started(init)) => Ok(init),
            Ok(Report::Failed(reason)) => {
                self.collect(pid, false);
                Err(MonitorError::Start(reason))
            }
            Err(error) => {
                self.collect(pid, true);
                Err(error)
            }
        }
    }

    /// Collects monitors that have ended, so that they do not stay as zombies. Every launch does so, too.
    pub fn reap(&self) {
        self.children()
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }

    fn spawn(&self, id: &str, dir: &RunDir, report: process::Stdio) -> Result<Child, MonitorError> {
        let mut command = Command::new(self.executable().map_err(MonitorError::Launch)?);
        command
            .arg0("podman-reference")
            .args([
                SUBCOMMAND.as_ref(),
                id.as_ref(),
                dir.keep().as_os_str(),
                dir.run().as_os_str(),
            ])
            .env_clear();
        kill_point::hand_on(&mut command)
            .stdin(process::Stdio::null())
            .stdout(report)
            .stderr(process::Stdio::null())
            .spawn()
            .map_err(MonitorError::Launch)
    }

    fn executable(&self) -> io::Result<PathBuf> {
        if let Some(sealed) = self.sealed.get() {
            return Ok(sealed.path());
        }
        let fresh = SealedProgram::copy_of(Path::new(&self.program))?;
        Ok(self.sealed.get_or_init(|| fresh).path())
    }

    /// Waits for a monitor that is about to end, or is made to.
    fn collect(&self, pid: u32, kill: bool) {
        let mut children = self.children();
        let Some(at) = children.iter().position(|child| child.id() == pid) else {
            return;
        };
        let mut child = children.swap_remove(at);
        drop(children);
        if kill {
            // It may have ended by itself; it is collected either way.
            let _ = child.kill();
        }
        let _ = child.wait();
    }

    fn children(&self) -> MutexGuard<'_, Vec<Child>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn descriptor(child: &Child) -> Result<PidFd, MonitorError> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::new);
    let fd = pid.map(PidFd::open).transpose();
    let fd = fd.map_err(MonitorError::Launch)?.flatten();
    fd.ok_or(MonitorError::MonitorLost)
}
