//! A thread that notices when containers end, whether or not a call waits for it.

use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use rustix::event::{
    EventfdFlags,
    epoll::{self, EventData, EventFlags},
    eventfd,
};

use super::{
    EngineError, Result, container::Container, error::with_causes, reaper::Queue, state::Ended,
    supervise, sync::lock,
};
use crate::{
    monitor::{Launcher, RunState},
    sys::{
        kill_point::{self, Point},
        pidfd::PidFd,
    },
};

/// The number under which the end of the engine itself is watched.
const STOP: u64 = 0;

/// The thread, and what it watches.
#[derive(Debug)]
pub(super) struct Watcher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    epoll: OwnedFd,
    stop: OwnedFd,
    launcher: Arc<Launcher>,
    /// Where containers go that are not kept once they have ended.
    queue: Option<Queue>,
    next: AtomicU64,
    runs: Mutex<HashMap<u64, Run>>,
}

/// A run under way. The descriptor is readable once it is over.
#[derive(Debug)]
struct Run {
    container: Arc<Container>,
    process: PidFd,
}

impl Watcher {
    pub(super) fn spawn(launcher: Arc<Launcher>, queue: Option<Queue>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            stop: eventfd(0, EventfdFlags::CLOEXEC)?,
            launcher,
            queue,
            next: AtomicU64::new(STOP + 1),
            runs: Mutex::default(),
        });
        shared.add(shared.stop.as_fd(), STOP)?;
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("watcher".into())
            .spawn(move || watched.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// From now on, the container's state follows its process.
    pub(super) fn watch(&self, container: &Arc<Container>) {
        self.shared.watch(container);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // The counter of a fresh event descriptor takes a 1.
        let _ = rustix::io::write(&self.shared.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn add(&self, fd: impl AsFd, number: u64) -> io::Result<()> {
        let data = EventData::new_u64(number);
        Ok(epoll::add(&self.epoll, fd, data, EventFlags::IN)?)
    }

    fn run(&self) {
        let mut events = Vec::with_capacity(64);
        loop {
            events.clear();
            match epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                None,
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "the ends of containers are not noticed any more");
                    return;
                }
            }
            for event in &events {
                match event.data.u64() {
                    STOP => return,
                    number => self.ended(number),
                }
            }
        }
    }

    /// A watched process has ended.
    fn ended(&self, number: u64) {
        let run = lock(&self.runs).remove(&number);
        if let Some(Run { container, process }) = run {
            let _ = epoll::delete(&self.epoll, &process);
            drop(process);
            kill_point::reached(Point::EndNoticed);
            self.launcher.reap();
            self.watch(&container);
        }
    }

    /// Watches the run that is under way; if it is over, notes how.
    fn watch(&self, container: &Arc<Container>) {
        match self.try_watch(container) {
            Ok(true) => {}
            Ok(false) => self.over(container),
            Err(error) => {
                tracing::error!(
                    container = container.id(),
                    error = with_causes(&error),
                    "cannot watch"
                );
                self.over(container);
            }
        }
    }

    fn try_watch(&self, container: &Arc<Container>) -> Result<bool> {
        let Some(process) = container.dir.watch()? else {
            return Ok(false);
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut runs = lock(&self.runs);
        self.add(&process, number)
            .map_err(EngineError::failed("cannot watch the container"))?;
        let container = Arc::clone(container);
        runs.insert(number, Run { container, process });
        Ok(true)
    }

    fn over(&self, container: &Arc<Container>) {
        over(container);
        if let Some(queue) = &self.queue {
            queue.consider(container);
        }
    }
}

/// Notes the end of a run. The mount goes first: whoever hears of the end may start the container again at once.
fn over(container: &Container) {
    let state = container.dir.state();
    // What the monitor did not live to see: with the pid namespace of another, the other processes are still there.
    if let Ok(RunState::Lost(_)) = state
        && let Err(error) = supervise::clear(&container.dir, &container.id())
    {
        let error = with_causes(&error);
        tracing::warn!(container = container.id(), error, "cannot clear up");
    }
    if let Err(error) = container.unmount() {
        tracing::warn!(container = container.id(), %error, "cannot unmount");
    }
    kill_point::reached(Point::EndUnmounted);
    let ended = match state {
        Ok(state) => Ended::of(&state),
        Err(error) => {
            tracing::error!(
                container = container.id(),
                error = with_causes(&error),
                "exit code lost"
            );
            None
        }
    };
    container.note_end(ended.unwrap_or_else(|| Ended::unseen(None)));
    kill_point::reached(Point::EndNoted);
}
