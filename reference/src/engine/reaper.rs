//! A thread that removes the containers which are to be removed once they have ended, and what keeps it from doing so.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use super::{container::Container, error::with_causes, remove::Remover};

/// The thread.
#[derive(Debug)]
pub(super) struct Reaper {
    queue: Option<Queue>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Where containers wait for it.
#[derive(Debug, Clone)]
pub(super) struct Queue(Sender<Arc<Container>>);

/// While it lasts, the container is not removed by itself: a call is about to start it again, to remove it or to read its log.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    queue: Queue,
    container: &'a Arc<Container>,
}

impl Reaper {
    pub(super) fn spawn(remover: Remover) -> io::Result<Self> {
        let (sender, waiting) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&ending);
        let thread = std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || reap(&waiting, &remover, &ended))?;
        Ok(Self {
            queue: Some(Queue(sender)),
            ending,
            thread: Some(thread),
        })
    }

    /// `None` once the engine is being closed.
    pub(super) fn queue(&self) -> Option<&Queue> {
        self.queue.as_ref()
    }

    /// Keeps a container.
    pub(super) fn hold<'a>(&self, container: &'a Arc<Container>) -> Option<Hold<'a>> {
        let queue = self.queue()?.clone();
        container.state().holds += 1;
        Some(Hold { queue, container })
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // What still waits is removed by the next engine.
        self.ending.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Queue {
    /// Has a container removed if its time has come.
    pub(super) fn consider(&self, container: &Arc<Container>) {
        if container.is_to_go(&container.state()) {
            // It fails only if the engine is being closed.
            let _ = self.0.send(Arc::clone(container));
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.container.state().holds -= 1;
        self.queue.consider(self.container);
    }
}

fn reap(waiting: &Receiver<Arc<Container>>, remover: &Remover, ending: &AtomicBool) {
    for container in waiting {
        if ending.load(Ordering::Relaxed) {
            return;
        }
        let mut left = vec![container];
        while let Some(container) = left.pop() {
            match remover.remove_by_itself(&container) {
                // One of these may have been kept for it alone.
                Ok(freed) => left.extend(freed),
                Err(error) => tracing::warn!(
                    container = container.id(),
                    error = with_causes(&error),
                    "cannot remove what has ended"
                ),
            }
        }
    }
}
