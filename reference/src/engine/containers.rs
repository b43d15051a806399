//! The containers in memory: found by id, name or prefix.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{EngineError, Result, container::Container, image::prefixed};
use crate::store::ContainerId;

/// All containers.
#[derive(Debug, Default)]
pub(super) struct Containers {
    by_id: BTreeMap<ContainerId, Arc<Container>>,
    /// Also the names of containers that are being created.
    names: HashMap<String, ContainerId>,
    /// Of a container, those that use its namespaces; also those that are being created.
    users: BTreeMap<ContainerId, BTreeSet<ContainerId>>,
}

impl Containers {
    pub(super) fn all(&self) -> Vec<Arc<Container>> {
        self.by_id.values().cloned().collect()
    }

    /// All of them, those that use the namespaces of another one before that one.
    pub(super) fn users_first(&self) -> Vec<Arc<Container>> {
        let mut order = Vec::new();
        let (mut seen, mut done) = (BTreeSet::new(), BTreeSet::new());
        let mut left: Vec<&ContainerId> = self.by_id.keys().collect();
        while let Some(id) = left.pop() {
            if done.contains(id) {
                continue;
            }
            if seen.insert(id) {
                left.push(id);
                left.extend(self.users(id));
                continue;
            }
            done.insert(id);
            order.extend(self.by_id.get(id).cloned());
        }
        order
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// In this order: full id, name, prefix of an id.
    pub(super) fn find(&self, name: &str) -> Result<Arc<Container>> {
        let named = || self.by_id.get(self.names.get(name)?);
        if let Some(container) = self.by_id.get(name).or_else(named) {
            return Ok(Arc::clone(container));
        }
        let mut fitting = prefixed(&self.by_id, name);
        match (fitting.next(), fitting.next()) {
            (Some(container), None) => Ok(Arc::clone(container)),
            (Some(_), Some(_)) => Err(EngineError::Refused(format!(
                "the container id {name:?} is ambiguous: several begin with it"
            ))),
            (None, _) => Err(EngineError::ContainerNotFound { name: name.into() }),
        }
    }

    pub(super) fn name_is_free(&self, name: &str) -> bool {
        !self.names.contains_key(name)
    }

    /// Takes a name for a container that is being created.
    pub(super) fn reserve(&mut self, name: &str, id: &ContainerId) -> Result<()> {
        if let Some(holder) = self.names.get(name) {
            return Err(EngineError::Refused(format!(
                "name {name:?} is already in use by container {holder}"
            )));
        }
        if self.by_id.contains_key(name) {
            return Err(EngineError::Refused(format!(
                "name {name:?} is the id of another container"
            )));
        }
        self.names.insert(name.to_owned(), id.clone());
        Ok(())
    }

    /// Gives a name back.
    pub(super) fn release(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// From now on `user` uses a namespace of `used`.
    pub(super) fn add_user(&mut self, used: ContainerId, user: &ContainerId) {
        self.users.entry(used).or_default().insert(user.clone());
    }

    /// From now on `user` uses nobody's namespaces.
    pub(super) fn remove_user(&mut self, user: &ContainerId) {
        self.users.retain(|_, users| {
            users.remove(user);
            !users.is_empty()
        });
    }

    /// The containers that use a namespace of this one.
    pub(super) fn users(&self, used: &ContainerId) -> impl Iterator<Item = &ContainerId> {
        self.users.get(used).into_iter().flatten()
    }

    /// Adds a container, whose name it also takes, and which uses the namespaces that its record says.
    pub(super) fn insert(&mut self, container: Arc<Container>) {
        let id = container.record.id.clone();
        for used in container.dependencies() {
            self.add_user(used, &id);
        }
        self.names.insert(container.record.name.clone(), id.clone());
        self.by_id.insert(id, container);
    }

    /// Takes a container out, and returns those whose namespaces it used.
    pub(super) fn remove(&mut self, container: &Container) -> Vec<Arc<Container>> {
        self.by_id.remove(&container.record.id);
        self.names.remove(&container.record.name);
        self.remove_user(&container.record.id);
        let used = container.dependencies();
        used.iter()
            .filter_map(|id| self.by_id.get(id).cloned())
            .collect()
    }
}
