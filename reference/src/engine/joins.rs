//! The namespaces that a start joins: those of other containers, which have to run.

use super::{Engine, EngineError, Result, container::Container};
use crate::{
    runtime::Join,
    settings::{Namespace, Namespaces},
    sys::{namespace::Kind, process::ProcessId},
};

impl Engine {
    /// The namespaces that a container shares with others, and the processes to find them by.
    ///
    /// # Errors
    /// The field and the other container, if that one does not run.
    pub(super) fn joins(&self, container: &Container) -> Result<Vec<Join>> {
        let Namespaces { ipc, pid, uts: _ } = &container.record.settings.namespaces;
        let mut joins = Vec::new();
        for (field, kind, whose) in [("ipc_mode", Kind::Ipc, ipc), ("pid_mode", Kind::Pid, pid)] {
            if let Namespace::Container(id) = whose {
                let process = self.first_process(id).ok_or_else(|| {
                    let why = "that container is not running";
                    EngineError::Refused(format!("{field}: container:{id}: {why}"))
                })?;
                joins.push(Join { kind, process });
            }
        }
        Ok(joins)
    }

    fn first_process(&self, id: &str) -> Option<ProcessId> {
        let other = self.find(id).ok()?;
        let state = other.state();
        state.running().map(|run| run.init.process.clone())
    }
}
