//! RemoveContainer and DeleteStoppedContainers.

use std::sync::Arc;

use super::{
    Engine, EngineError, Result, container::Container, error::with_causes, images::finish, pause,
    state::Phase, supervise, sync::lock,
};
use crate::{store::Discarded, sys::wait::Stop};

impl Engine {
    pub(super) fn remove(&self, container: &Container, force: bool) -> Result<()> {
        claim(container, force)?;
        self.carry_out(container)
    }

    /// DeleteStoppedContainers: removes every container that does not run; returns the ids of those that could be removed.
    pub(super) fn remove_stopped(&self) -> Vec<String> {
        let all = lock(&self.containers).all();
        let removed = |container: &Arc<Container>| {
            let container = container.as_ref();
            if !claim_idle(container) {
                return None;
            }
            match self.carry_out(container) {
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

    /// Removes a container that this call has claimed.
    fn carry_out(&self, container: &Container) -> Result<()> {
        let busy = container.busy();
        let discarded = self.take(container)?;
        lock(&self.containers).remove(container);
        lock(&self.images).remove_use(&container.record.image_id);
        busy.done(Phase::Removed);
        finish(vec![discarded]);
        Ok(())
    }

    /// Takes it out of the store. Until the last step the container is whole, after it it is gone.
    fn take(&self, container: &Container) -> Result<Discarded> {
        supervise::clear(&container.dir, &container.id())?;
        container
            .unmount()
            .map_err(EngineError::failed("cannot unmount the root filesystem"))?;
        Ok(self.store.discard_container(&container.record.id)?)
    }
}

/// Claims a container for its removal if it does not run and nobody else is at work on it.
fn claim_idle(container: &Container) -> bool {
    let mut state = container.state();
    let idle = state.phase == Phase::Idle;
    if idle {
        state.phase = Phase::Removing;
    }
    idle
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
