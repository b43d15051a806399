//! io.projectatomic.podman: which function answers which method.

use std::sync::Arc;

use super::{
    containers::{self, attach, changes, create, export, inspect, logs, processes, stats},
    dispatch::Exported,
    errors::unavailable,
    generated::podman::*,
    images,
    server::{Caller, Service},
    service, system,
};
use crate::engine::Engine;

/// The service: one engine, called by all clients.
#[derive(Debug)]
pub(crate) struct Podman(pub(crate) Arc<Engine>);

impl Service for Podman {
    fn export(&self, caller: &Caller) -> Vec<Exported> {
        let session = Session {
            engine: Arc::clone(&self.0),
            caller: caller.clone(),
        };
        let podman = Exported {
            definition: service::podman(),
            interface: Box::new(super::generated::podman::new(Box::new(session))),
        };
        vec![podman, service::export()]
    }
}

/// What the methods work with: the engine, and the client that calls.
pub(crate) struct Session {
    pub(crate) engine: Arc<Engine>,
    pub(crate) caller: Caller,
}

type Sent = varlink::Result<()>;
type Text = Option<String>;
type Texts = Option<Vec<String>>;

/// Written out in the order of the interface definition.
#[rustfmt::skip]
impl VarlinkInterface for Session {
    fn attach_to_container(&self, call: &mut dyn Call_AttachToContainer) -> Sent {
        call.reply(system::not_implemented("connect to the sockets that GetAttachSockets names"))
    }
    fn build_image(&self, call: &mut dyn Call_BuildImage) -> Sent {
        call.reply(system::not_implemented("build the image elsewhere and import or pull it"))
    }
    fn commit(&self, call: &mut dyn Call_Commit, _: Text, _: Text, _: Texts, _: Text, _: Text, _: Option<bool>) -> Sent {
        unavailable(call)
    }
    fn create_container(&self, call: &mut dyn Call_CreateContainer, create: Option<Create>) -> Sent {
        create::create(self, call, create)
    }
    fn create_image(&self, call: &mut dyn Call_CreateImage) -> Sent {
        call.reply(system::not_implemented("use ImportImage, PullImage or Commit"))
    }
    fn delete_stopped_containers(&self, call: &mut dyn Call_DeleteStoppedContainers) -> Sent {
        containers::delete_stopped(self, call)
    }
    fn delete_unused_images(&self, call: &mut dyn Call_DeleteUnusedImages) -> Sent {
        unavailable(call)
    }
    fn export_container(&self, call: &mut dyn Call_ExportContainer, name: Text, path: Text) -> Sent {
        export::export(self, call, name, path)
    }
    fn export_image(&self, call: &mut dyn Call_ExportImage, _: Text, _: Text, _: Option<bool>) -> Sent {
        unavailable(call)
    }
    fn get_attach_sockets(&self, call: &mut dyn Call_GetAttachSockets, name: Text) -> Sent {
        attach::sockets(self, call, name)
    }
    fn get_container(&self, call: &mut dyn Call_GetContainer, name: Text) -> Sent {
        containers::get(self, call, name)
    }
    fn get_container_logs(&self, call: &mut dyn Call_GetContainerLogs, name: Text) -> Sent {
        logs::get(self, call, name)
    }
    fn get_container_stats(&self, call: &mut dyn Call_GetContainerStats, name: Text) -> Sent {
        stats::get(self, call, name)
    }
    fn get_info(&self, call: &mut dyn Call_GetInfo) -> Sent {
        system::info(self, call)
    }
    fn get_version(&self, call: &mut dyn Call_GetVersion) -> Sent {
        call.reply(system::version())
    }
    fn history_image(&self, call: &mut dyn Call_HistoryImage, _: Text) -> Sent {
        unavailable(call)
    }
    fn import_image(&self, call: &mut dyn Call_ImportImage, source: Text, reference: Text, message: Text, changes: Texts) -> Sent {
        images::import(self, call, source, reference, message, changes)
    }
    fn inspect_container(&self, call: &mut dyn Call_InspectContainer, name: Text) -> Sent {
        inspect::inspect(self, call, name)
    }
    fn inspect_image(&self, call: &mut dyn Call_InspectImage, _: Text) -> Sent {
        unavailable(call)
    }
    fn kill_container(&self, call: &mut dyn Call_KillContainer, name: Text, signal: Option<i64>) -> Sent {
        containers::kill(self, call, name, signal)
    }
    fn list_container_changes(&self, call: &mut dyn Call_ListContainerChanges, name: Text) -> Sent {
        changes::list(self, call, name)
    }
    fn list_container_processes(&self, call: &mut dyn Call_ListContainerProcesses, name: Text, opts: Texts) -> Sent {
        processes::list(self, call, name, opts)
    }
    fn list_containers(&self, call: &mut dyn Call_ListContainers) -> Sent {
        containers::list(self, call)
    }
    fn list_images(&self, call: &mut dyn Call_ListImages) -> Sent {
        images::list(self, call)
    }
    fn pause_container(&self, call: &mut dyn Call_PauseContainer, name: Text) -> Sent {
        containers::pause(self, call, name)
    }
    fn ping(&self, call: &mut dyn Call_Ping) -> Sent {
        call.reply(StringResponse { message: "OK".to_owned() })
    }
    fn pull_image(&self, call: &mut dyn Call_PullImage, _: Text) -> Sent {
        unavailable(call)
    }
    fn push_image(&self, call: &mut dyn Call_PushImage, _: Text, _: Text, _: Option<bool>) -> Sent {
        unavailable(call)
    }
    fn remove_container(&self, call: &mut dyn Call_RemoveContainer, name: Text, force: Option<bool>) -> Sent {
        containers::remove(self, call, name, force)
    }
    fn remove_image(&self, call: &mut dyn Call_RemoveImage, name: Text, force: Option<bool>) -> Sent {
        images::remove(self, call, name, force)
    }
    fn rename_container(&self, call: &mut dyn Call_RenameContainer) -> Sent {
        call.reply(system::not_implemented("remove the container and create it under the new name"))
    }
    fn resize_container_tty(&self, call: &mut dyn Call_ResizeContainerTty) -> Sent {
        call.reply(system::not_implemented("write to the control socket that GetAttachSockets names"))
    }
    fn restart_container(&self, call: &mut dyn Call_RestartContainer, name: Text, timeout: Option<i64>) -> Sent {
        containers::restart(self, call, name, timeout)
    }
    fn search_image(&self, call: &mut dyn Call_SearchImage, _: Text, _: Option<i64>) -> Sent {
        unavailable(call)
    }
    fn start_container(&self, call: &mut dyn Call_StartContainer, name: Text) -> Sent {
        containers::start(self, call, name)
    }
    fn stop_container(&self, call: &mut dyn Call_StopContainer, name: Text, timeout: Option<i64>) -> Sent {
        containers::stop(self, call, name, timeout)
    }
    fn tag_image(&self, call: &mut dyn Call_TagImage, _: Text, _: Text) -> Sent {
        unavailable(call)
    }
    fn unpause_container(&self, call: &mut dyn Call_UnpauseContainer, name: Text) -> Sent {
        containers::unpause(self, call, name)
    }
    fn update_container(&self, call: &mut dyn Call_UpdateContainer) -> Sent {
        call.reply(system::not_implemented("remove the container and create it with the new settings"))
    }
    fn wait_container(&self, call: &mut dyn Call_WaitContainer, name: Text) -> Sent {
        containers::wait(self, call, name)
    }
}
