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
    store::{ContainerId, Discarded, Store},
    sys::{
        kill_point::{self, Point},
        wait::Stop,
    },
};

impl Engine {
    pub(super) fn remove(&self, container: &Arc<Container>, force: bool) -> Result<()> {
        // Killed by this call, it is for this call to remove.
        let _hold = self.reaper.hold(container);
        self.remover.claim(container, force)?;
        let freed = self.remover.carry_out(container)?;
        self.reconsider(&freed);
        Ok(())
    }

    /// Containers that were to be removed by themselves may have been kept for their last user.
    fn reconsider(&self, freed: &[Arc<Container>]) {
        for container in freed {
            if let Some(queue) = self.reaper.queue() {
                queue.consider(container);
            }
        }
    }

    /// DeleteStoppedContainers: removes every container that does not run; returns the ids of those that could be removed.
    pub(super) fn remove_stopped(&self) -> Vec<String> {
        let all = lock(&self.containers).users_first();
        let removed = |container: &Arc<Container>| {
            let is_idle = |state: &State| state.phase == Phase::Idle;
            if !self.remover.claim_if(container, is_idle) {
                return None;
            }
            match self.remover.carry_out(container) {
                Ok(freed) => {
                    self.reconsider(&freed);
                    Some(container.id())
                }
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
    /// Removes a container that is to be removed once it has ended, unless somebody keeps it. Returns those whose namespaces it
    /// used.
    pub(super) fn remove_by_itself(&self, container: &Container) -> Result<Vec<Arc<Container>>> {
        if self.claim_if(container, |state| container.is_to_go(state)) {
            self.carry_out(container)
        } else {
            Ok(Vec::new())
        }
    }

    /// Removes a container that this call has claimed. Returns those whose namespaces it used.
    fn carry_out(&self, container: &Container) -> Result<Vec<Arc<Container>>> {
        let busy = container.busy();
        kill_point::reached(Point::RemoveClaimed);
        let discarded = self.take(container)?;
        kill_point::reached(Point::RemoveDiscarded);
        let freed = lock(&self.containers).remove(container);
        lock(&self.images).remove_use(&container.record.image_id);
        busy.done(Phase::Removed);
        kill_point::reached(Point::RemoveForgotten);
        finish(vec![discarded]);
        kill_point::reached(Point::RemoveFinished);
        Ok(freed)
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

impl Remover {
    /// Claims a container for its removal if its state allows it and nobody uses it; waits for nobody.
    fn claim_if(&self, container: &Container, allowed: impl Fn(&State) -> bool) -> bool {
        // Held to the end, so that nobody comes to use it meanwhile.
        let containers = lock(&self.containers);
        let mut state = container.state();
        let is_used = containers.users(&container.record.id).next().is_some();
        let is_allowed = !is_used && allowed(&state);
        if is_allowed {
            state.phase = Phase::Removing;
        }
        is_allowed
    }

    /// One call removes a container, and nobody starts it meanwhile. By force it is stopped first.
    fn claim(&self, container: &Container, force: bool) -> Result<()> {
        loop {
            container.settled()?;
            if self.try_claim(container, force)? {
                return Ok(());
            }
            let run = container.state().under_way();
            if let Some(run) = run {
                pause::kill(container, run)?;
                container.wait_until(&Stop::default(), None, |state| state.over(run))?;
            }
        }
    }

    /// `false` if it is to be stopped first, or another call is busy with it.
    fn try_claim(&self, container: &Container, force: bool) -> Result<bool> {
        let containers = lock(&self.containers);
        let mut state = container.state();
        match state.phase {
            Phase::Removed => Err(EngineError::ContainerNotFound {
                name: container.id(),
            }),
            Phase::Running(_) if !force => Err(EngineError::Refused(format!(
                "container {} is {}: stop it first, or remove it by force",
                container.id(),
                state.status()
            ))),
            Phase::Idle | Phase::Running(_) => {
                unused(container, &containers)?;
                let is_idle = state.phase == Phase::Idle;
                if is_idle {
                    state.phase = Phase::Removing;
                }
                Ok(is_idle)
            }
            _ => Ok(false),
        }
    }
}

/// Refuses what others could not do without.
fn unused(container: &Container, containers: &Containers) -> Result<()> {
    let users: Vec<&str> = containers
        .users(&container.record.id)
        .map(ContainerId::as_str)
        .collect();
    if users.is_empty() {
        return Ok(());
    }
    Err(EngineError::Refused(format!(
        "container {} shares a namespace with others: remove these first: {}",
        container.id(),
        users.join(", ")
    )))
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
