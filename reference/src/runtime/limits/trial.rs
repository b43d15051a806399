//! A cgroup for a trial: it tells whether the host can enforce limits, and is removed at once.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::sys::{cgroup, owner::Owner};

/// How its name begins; who made it follows.
const PREFIX: &str = "podman-reference-trial-";

/// A group for a trial.
pub(super) struct Trial(PathBuf);

impl Trial {
    pub(super) fn new() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let trial = Self(format!("/{PREFIX}{}-{number}", Owner::current()?).into());
        cgroup::make(&trial.0)?;
        Ok(trial)
    }

    pub(super) fn group(&self) -> &Path {
        &self.0
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // It has no processes, so nothing holds it.
        let _ = cgroup::remove(&self.0);
    }
}

/// Removes the groups of trials in the midst of which a daemon died. Those of other daemons are left alone.
///
/// # Errors
/// If the host's hierarchies cannot be read, or a group cannot be removed.
pub fn sweep_trials() -> io::Result<()> {
    for name in cgroup::names()? {
        let owner = name.strip_prefix(PREFIX).and_then(Owner::parse);
        if owner.is_some_and(|owner| owner.is_gone()) {
            cgroup::remove(&Path::new("/").join(name))?;
        }
    }
    Ok(())
}
