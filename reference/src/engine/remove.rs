//! RemoveContainer and DeleteStoppedContainers.

use std::sync::{Arc, Mutex};

use super::{
    Engine, EngineError, Result,
    container::Container,
    containers::Containers,
    error::with_causes,
    image::Images,
    images::finish,
    pause,
    state::{Phase, State},
    supervise,
    sync::lock,
};
use crate::{
    store::{Discarded, Store},
    sys::{
        kill_point::{self, Point},
        wait::Stop,
    },
};

impl Engine {
    pub(super) fn remove(&self, container: &Arc<Container>, force: bool) -> Result<()> {
        // Killed by this call, it is for this call to remove.
        let _hold = self.reaper.hold(container);
        claim(container, force)?;
        self.remover.carry_out(container)
    }

    /// DeleteStoppedContainers: removes every container that does not run; returns the ids of those that could be removed.
    pub(super) fn remove_stopped(&self) -> Vec<String> {
        let all = lock(&self.containers).all();
        let removed = |container: &Arc<Container>| {
            if !claim_if(container, |state| state.phase == Phase::Idle) {
                return None;
            }
            match self.remover.carry_out(container) {
                Ok(()) => Some(container.id()),
                Err(error) => {
                    tracing::warn!(
                        container = container.id(),
                        error = with_causes(&error),
                        "cannot remove"
                    );
                    None
                }
            }
        };
        all.iter().filter_map(removed).collect()
    }
}

/// What a container is taken out of when it is removed.
#[derive(Debug, Clone)]
pub(super) struct Remover {
    pub(super) store: Arc<Store>,
    pub(super) images: Arc<Mutex<Images>>,
    pub(super) containers: Arc<Mutex<Containers>>,
}

impl Remover {
    /// Removes a container that is to be removed once it has ended, unless somebody keeps it.
    pub(super) fn remove_by_itself(&self, container: &Container) -> Result<()> {
        if claim_if(container, |state| container.is_to_go(state)) {
            self.carry_out(container)
        } else {
            Ok(())
        }
    }

    /// Removes a container that this call has claimed.
    fn carry_out(&self, container: &Container) -> Result<()> {
        let busy = container.busy();
        kill_point::reached(Point::RemoveClaimed);
        let discarded = self.take(container)?;
        kill_point::reached(Point::RemoveDiscarded);
        lock(&self.containers).remove(container);
        lock(&self.images).remove_use(&container.record.image_id);
        busy.done(Phase::Removed);
        kill_point::reached(Point::RemoveForgotten);
        finish(vec![discarded]);
        kill_point::reached(Point::RemoveFinished);
        Ok(())
    }

    /// Takes it out of the store. Until the last step the container is whole, after it it is gone.
    fn take(&self, container: &Container) -> Result<Discarded> {
        supervise::clear(&container.dir, &container.id())?;
        kill_point::reached(Point::RemoveCleared);
        container
            .unmount()
            .map_err(EngineError::failed("cannot unmount the root filesystem"))?;
        kill_point::reached(Point::RemoveUnmounted);
        Ok(self.store.discard_container(&container.record.id)?)
    }
}

/// Claims a container for its removal if its state allows it; waits for nobody.
fn claim_if(container: &Container, allowed: impl Fn(&State) -> bool) -> bool {
    let mut state = container.state();
    let is_allowed = allowed(&state);
    if is_allowed {
        state.phase = Phase::Removing;
    }
    is_allowed
}

/// One call removes a container, and nobody starts it meanwhile. By force it is stopped first.
fn claim(container: &Container, force: bool) -> Result<()> {
    loop {
        container.settled()?;
        {
            let mut state = container.state();
            match state.phase {
                Phase::Idle => {
                    state.phase = Phase::Removing;
                    return Ok(());
                }
                Phase::Removed => {
                    return Err(EngineError::ContainerNotFound {
                        name: container.id(),
                    });
                }
                Phase::Running(_) if !force => {
                    return Err(EngineError::Refused(format!(
                        "container {} is {}: stop it first, or remove it by force",
                        container.id(),
                        state.status()
                    )));
                }
                _ => {}
            }
        }
        let run = container.state().under_way();
        if let Some(run) = run {
            pause::kill(container, run)?;
            container.wait_until(&Stop::default(), None, |state| state.over(run))?;
        }
    }
}

/// Removes what a container that does not run has outside the store. Problems are logged: its next start or its removal meets
/// them again.
pub(super) fn sweep(container: &Container) {
    if let Err(error) = supervise::clear(&container.dir, &container.id()) {
        tracing::warn!(
            container = container.id(),
            error = with_causes(&error),
            "cannot clear up"
        );
    }
    if let Err(error) = container.unmount() {
        tracing::warn!(container = container.id(), %error, "cannot unmount");
    }
}
