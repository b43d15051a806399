//! The namespaces that a start joins: those of other containers, which have to run.

use super::{Engine, EngineError, Result, container::Container};
use crate::{
    runtime::{Join, Network},
    settings::Namespaces,
    sys::{namespace::Kind, process::ProcessId},
};

impl Engine {
    /// The namespaces that a container shares with others, and the processes to find them by.
    ///
    /// # Errors
    /// The field and the other container, if that one does not run.
    pub(super) fn joins(&self, container: &Container) -> Result<Vec<Join>> {
        let settings = &container.record.settings;
        let Namespaces { ipc, pid, .. } = &settings.namespaces;
        let shared = [
            (
                "net_mode",
                Kind::Network,
                settings.network.container.as_deref(),
            ),
            ("ipc_mode", Kind::Ipc, ipc.container()),
            ("pid_mode", Kind::Pid, pid.container()),
        ];
        let mut joins = Vec::new();
        for (field, kind, whose) in shared {
            if let Some(id) = whose {
                let process = self.first_process(id).ok_or_else(|| {
                    let why = "that container is not running";
                    EngineError::Refused(format!("{field}: container:{id}: {why}"))
                })?;
                joins.push(Join { kind, process });
            }
        }
        Ok(joins)
    }

    /// The network that a container gets.
    ///
    /// # Errors
    /// If it is that of a container which is not there.
    pub(super) fn network(&self, container: &Container) -> Result<Network> {
        let record = &container.record;
        Ok(match &record.settings.network.container {
            Some(id) => Network::Container {
                files: self.find(id)?.dir.run().to_owned(),
            },
            None if record.net_mode == "host" => Network::Host,
            None => Network::None,
        })
    }

    fn first_process(&self, id: &str) -> Option<ProcessId> {
        let other = self.find(id).ok()?;
        let state = other.state();
        state.running().map(|run| run.init.process.clone())
    }
}
