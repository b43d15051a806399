//! RemoveContainer.

use super::{
    Engine, EngineError, Result,
    container::{Container, Phase},
    error::with_causes,
    images::finish,
    pause, supervise,
    sync::lock,
};
use crate::{store::Discarded, sys::wait::Stop};

impl Engine {
    pub(super) fn remove(&self, container: &Container, force: bool) -> Result<()> {
        claim(container, force)?;
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
