//! Starts monitors: the daemon's side of a container's start.

use std::{
    io::{self, PipeReader},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Init, MonitorError, RunDir, report::Report, zygote::Zygote};
use crate::sys::{
    kill_point::{self, Point},
    memfd::SealedProgram,
    pidfd::PidFd,
    process::{Pid, Signal},
    reap::{reap, try_reap},
};

/// How often a zygote is asked that has ended meanwhile, each time another one.
const ATTEMPTS: usize = 3;

/// Starts monitors; one per daemon.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    sealed: OnceLock<SealedProgram>,
    zygote: Mutex<Option<Arc<Zygote>>>,
    children: Mutex<Vec<Pid>>,
}

impl Launcher {
    /// Monitors will run `program`, which must answer [`super::SUBCOMMAND`]: usually /proc/self/exe.
    /// They run from a sealed copy in memory, so that no container can reach the file.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            sealed: OnceLock::new(),
            zygote: Mutex::default(),
            children: Mutex::default(),
        }
    }

    /// Starts the process that monitors are forked from, if it is not there: else the first start does.
    pub fn warm_up(&self) {
        if let Err(error) = self.zygote() {
            tracing::warn!(%error, "cannot start the process that monitors are forked from");
        }
    }

    /// Starts a monitor for the container that the bundle in `dir` describes, and waits until the container's program
    /// runs. The monitor outlives this process. On an error nothing of the container runs.
    ///
    /// # Errors
    /// [`MonitorError::Start`] with the cause if the container could not be started.
    pub fn launch(&self, id: &str, dir: &RunDir) -> Result<Init, MonitorError> {
        self.reap();
        let (reader, pid) = self.fork(id, dir).map_err(MonitorError::Launch)?;
        // Nobody has collected it, so the number is still its own.
        let monitor = PidFd::open(pid);
        self.children().push(pid);
        let monitor = monitor
            .map_err(MonitorError::Launch)?
            .ok_or(MonitorError::MonitorLost)?;
        kill_point::reached(Point::StartSpawned);
        let report = Report::read(reader, &monitor);
        kill_point::reached(Point::StartReported);
        match report {
            Ok(Report::Started(init)) => Ok(init),
            Ok(Report::Failed(reason)) => {
                self.collect(pid);
                Err(MonitorError::Start(reason))
            }
            Err(error) => {
                // It may have ended by itself; it is collected either way.
                let _ = monitor.send(Signal::KILL);
                self.collect(pid);
                Err(error)
            }
        }
    }

    /// Collects monitors that have ended, so that they do not stay as zombies. Every launch does so, too.
    pub fn reap(&self) {
        self.children()
            .retain(|pid| matches!(try_reap(*pid), Ok(None)));
    }

    /// Has a monitor forked; gives its number, and the pipe on which it tells the rest.
    fn fork(&self, id: &str, dir: &RunDir) -> io::Result<(PipeReader, Pid)> {
        let mut last = io::Error::other("it ends at once");
        for _ in 0..ATTEMPTS {
            let zygote = self.zygote()?;
            let (mut reader, writer) = io::pipe()?;
            let arguments = [id.as_ref(), dir.keep().as_os_str(), dir.run().as_os_str()];
            let asked = zygote.ask(arguments, &writer);
            // So that the pipe ends when nobody is there to answer.
            drop(writer);
            match asked {
                Ok(()) => {
                    if let Some(pid) = Report::number(&mut reader, || zygote.kill())? {
                        return Ok((reader, pid));
                    }
                }
                Err(error) => last = error,
            }
            self.forget(&zygote);
        }
        Err(last)
    }

    fn zygote(&self) -> io::Result<Arc<Zygote>> {
        let mut current = self.current();
        if let Some(zygote) = &*current {
            return Ok(Arc::clone(zygote));
        }
        let zygote = Arc::new(Zygote::spawn(&self.executable()?)?);
        *current = Some(Arc::clone(&zygote));
        Ok(zygote)
    }

    /// The next request is for another one.
    fn forget(&self, zygote: &Arc<Zygote>) {
        let mut current = self.current();
        if current.as_ref().is_some_and(|one| Arc::ptr_eq(one, zygote)) {
            *current = None;
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Zygote>>> {
        self.zygote.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn executable(&self) -> io::Result<PathBuf> {
        if let Some(sealed) = self.sealed.get() {
            return Ok(sealed.path());
        }
        let fresh = SealedProgram::copy_of(Path::new(&self.program))?;
        Ok(self.sealed.get_or_init(|| fresh).path())
    }

    /// Waits for a monitor that is about to end.
    fn collect(&self, pid: Pid) {
        let mut children = self.children();
        let known = children.len();
        children.retain(|child| *child != pid);
        let was_there = children.len() < known;
        drop(children);
        if was_there {
            let _ = reap(pid);
        }
    }

    fn children(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
