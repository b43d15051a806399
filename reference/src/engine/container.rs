//! A container in memory: its record, its files, and who waits for it.

use std::{
    os::fd::AsFd,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::Instant,
};

use nix::poll::PollTimeout;

use super::{
    EngineError, MountSummary, Result,
    clock::Time,
    state::{Ended, Phase, State},
    stats::Sample,
    sync::lock,
};
use crate::{
    monitor::RunDir,
    runtime::VolumeDirectories,
    store::{ContainerId, ContainerRecord, Layout},
    sys::{
        mount::Overlay,
        namespace::Kind,
        ownership::for_owner,
        process::Signal,
        user_namespace::Holder,
        wait::{Stop, Woken, wait_readable},
    },
};

/// A container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) record: ContainerRecord,
    pub(super) dir: RunDir,
    /// Where its root filesystem is mounted while it runs.
    pub(super) mount_point: PathBuf,
    /// Where what it writes is kept.
    pub(super) upper: PathBuf,
    pub(super) work: PathBuf,
    /// Where its volumes are.
    pub(super) volumes: VolumeDirectories,
    /// The image's layers, uppermost first.
    pub(super) lower: Vec<PathBuf>,
    state: Mutex<State>,
    pub(super) usage: Mutex<Usage>,
    /// The processor time that it had used when that was asked for last.
    pub(super) sample: Mutex<Option<Sample>>,
    /// What lists tell of its mounts, once they were asked for.
    pub(super) mounts: OnceLock<Arc<[MountSummary]>>,
}

/// The size of what a container wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) bytes: u64,
    /// Whether it may have written since.
    pub(super) stale: bool,
}

/// Where a container's monitor keeps things.
pub(super) fn run_dir(record: &ContainerRecord, layout: &Layout) -> RunDir {
    let keep = layout.container(&record.id);
    RunDir::new(keep, layout.run_directory(&record.id)).with_log(&record.settings.stdio.log)
}

impl Container {
    pub(super) fn new(record: ContainerRecord, layout: &Layout, last: Option<Ended>) -> Self {
        let keep = layout.container(&record.id);
        let lower = record.layers.iter().rev();
        Self {
            dir: run_dir(&record, layout),
            mount_point: layout.mount_point(&record.id),
            upper: keep.join("upper"),
            work: keep.join("work"),
            volumes: VolumeDirectories {
                named: layout.volumes(),
                own: layout.own_volumes(&record.id),
            },
            lower: lower.map(|layer| layout.layer_files(layer)).collect(),
            state: Mutex::new(State::new(last)),
            usage: Mutex::new(Usage {
                bytes: 0,
                stale: last.is_some(),
            }),
            sample: Mutex::default(),
            mounts: OnceLock::new(),
            record,
        }
    }

    pub(super) fn id(&self) -> String {
        self.record.id.to_string()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the phase and tells those who wait.
    pub(super) fn set_phase(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        state.announce();
    }

    /// For the time of a start or a removal: the phase goes back to [`Phase::Idle`] unless the work was done.
    pub(super) fn busy(&self) -> Busy<'_> {
        Busy(Some(self))
    }

    /// Notes what the records tell of the last run: a monitor that is killed may leave one of which nobody was told.
    pub(super) fn note_records(&self) {
        if let Some(ended) = self.dir.state().ok().as_ref().and_then(Ended::of) {
            self.state().last = Some(ended);
        }
    }

    /// Notes that the run under way is over.
    pub(super) fn note_end(&self, ended: Ended) {
        lock(&self.usage).stale = true;
        let mut state = self.state();
        state.phase = Phase::Idle;
        state.ended += 1;
        state.last = Some(ended);
        state.announce();
    }

    /// Mounts the root filesystem.
    pub(super) fn mount(&self) -> std::io::Result<()> {
        let lower: Vec<&std::path::Path> = self.lower.iter().map(PathBuf::as_path).collect();
        let overlay = Overlay {
            lower: &lower,
            upper: &self.upper,
            work: &self.work,
        };
        std::fs::create_dir_all(&self.mount_point)?;
        crate::sys::mount::unmount_all(&self.mount_point)?;
        let Some(ids) = &self.record.settings.namespaces.ids else {
            return overlay.mount(&self.mount_point);
        };
        let namespace = Holder::new(&ids.maps_of_files(), &[])?.open(Kind::User)?;
        for_owner(Some(ids.owner()), || {
            overlay.mount_mapped(&self.mount_point, &namespace)
        })?
    }

    /// Takes the mount away, and its mount point.
    pub(super) fn unmount(&self) -> std::io::Result<()> {
        crate::sys::mount::unmount_all(&self.mount_point)?;
        match std::fs::remove_dir(&self.mount_point) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Blocks until `done` finds what it looks for in the state; `None` once `deadline` has passed.
    pub(super) fn wait_until<T>(
        &self,
        stop: &Stop<'_>,
        deadline: Option<Instant>,
        mut done: impl FnMut(&State) -> Option<T>,
    ) -> Result<Option<T>> {
        loop {
            let change = {
                let mut state = self.state();
                if let Some(found) = done(&state) {
                    return Ok(Some(found));
                }
                let change = state.subscribe();
                change.map_err(EngineError::failed("cannot wait for the container"))?
            };
            let woken = wait_readable(&[change.as_fd()], stop, left(deadline));
            match woken.map_err(EngineError::failed("cannot wait for the container"))? {
                Woken::Stopped => return Err(EngineError::Cancelled("the wait was ended")),
                Woken::TimedOut if deadline.is_some_and(|at| at <= Instant::now()) => {
                    return Ok(None);
                }
                Woken::TimedOut | Woken::Ready => {}
            }
        }
    }

    /// Waits while a start or a removal is under way.
    pub(super) fn settled(&self) -> Result<()> {
        let settled = |state: &State| {
            let busy = matches!(state.phase, Phase::Starting | Phase::Removing);
            (!busy).then_some(())
        };
        self.wait_until(&Stop::default(), None, settled).map(drop)
    }

    /// Sends a signal to the first process; `false` if there is none.
    pub(super) fn signal(&self, signal: Signal) -> Result<bool> {
        use crate::monitor::MonitorError;
        match self.dir.signal(signal) {
            Ok(()) => Ok(true),
            Err(MonitorError::NotRunning) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it is to be removed by itself: it was created so, has ended, and nobody keeps it.
    pub(super) fn is_to_go(&self, state: &State) -> bool {
        let has_ended = state.phase == Phase::Idle && state.last.is_some();
        self.record.settings.lifecycle.remove && has_ended && state.holds == 0
    }

    /// The containers whose namespaces it uses.
    pub(super) fn dependencies(&self) -> Vec<ContainerId> {
        let ids = self.record.settings.dependencies();
        ids.into_iter().filter_map(|id| id.parse().ok()).collect()
    }

    /// Its cgroup, in every hierarchy.
    pub(super) fn cgroup(&self) -> PathBuf {
        let resources = &self.record.settings.resources;
        crate::runtime::cgroup_path(self.record.id.as_str(), resources)
    }

    pub(super) fn created(&self) -> Time {
        Time::from_nanoseconds(self.record.created)
    }
}

/// A start or a removal under way. Should it fail, even by a panic, nobody waits for it for ever.
#[derive(Debug)]
pub(super) struct Busy<'a>(Option<&'a Container>);

impl Busy<'_> {
    /// The work was done.
    pub(super) fn done(mut self, phase: Phase) {
        if let Some(container) = self.0.take() {
            container.set_phase(phase);
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(container) = self.0.take() {
            container.set_phase(Phase::Idle);
        }
    }
}

/// What is left until a deadline, rounded up; poll(2) can wait for 24 days at a time.
fn left(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else {
        return PollTimeout::NONE;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let milliseconds = left.as_millis().saturating_add(1);
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}
