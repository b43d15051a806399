//! The methods of containers: decode, one engine call, encode.

use super::{
    call::reply,
    errors,
    generated::podman::{
        Call_DeleteStoppedContainers, Call_GetContainer, Call_KillContainer, Call_ListContainers,
        Call_PauseContainer, Call_RemoveContainer, Call_RestartContainer, Call_StartContainer,
        Call_StopContainer, Call_UnpauseContainer, Call_WaitContainer,
    },
    interface::Session,
};

pub(crate) mod attach;
pub(crate) mod changes;
pub(crate) mod create;
mod data;
pub(crate) mod export;
pub(crate) mod inspect;
pub(crate) mod logs;
pub(crate) mod processes;
mod resources;
pub(crate) mod stats;

type Sent = varlink::Result<()>;
type Text = Option<String>;

pub(crate) fn get(session: &Session, call: &mut dyn Call_GetContainer, name: Text) -> Sent {
    match session.engine.container(&name.unwrap_or_default()) {
        Ok(container) => reply(call, &data::One::new(&container)),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn list(session: &Session, call: &mut dyn Call_ListContainers) -> Sent {
    match session.engine.containers() {
        Ok(containers) => reply(call, &data::Many::new(&containers)),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn start(session: &Session, call: &mut dyn Call_StartContainer, name: Text) -> Sent {
    match session.engine.start_container(&name.unwrap_or_default()) {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn stop(
    session: &Session,
    call: &mut dyn Call_StopContainer,
    name: Text,
    timeout: Option<i64>,
) -> Sent {
    let name = name.unwrap_or_default();
    match session
        .engine
        .stop_container(&name, timeout, session.caller.cancel())
    {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn restart(
    session: &Session,
    call: &mut dyn Call_RestartContainer,
    name: Text,
    timeout: Option<i64>,
) -> Sent {
    let name = name.unwrap_or_default();
    match session
        .engine
        .restart_container(&name, timeout, session.caller.cancel())
    {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn delete_stopped(
    session: &Session,
    call: &mut dyn Call_DeleteStoppedContainers,
) -> Sent {
    match session.engine.delete_stopped_containers() {
        Ok(ids) => call.reply(ids),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn kill(
    session: &Session,
    call: &mut dyn Call_KillContainer,
    name: Text,
    signal: Option<i64>,
) -> Sent {
    match session
        .engine
        .kill_container(&name.unwrap_or_default(), signal)
    {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn pause(session: &Session, call: &mut dyn Call_PauseContainer, name: Text) -> Sent {
    match session.engine.pause_container(&name.unwrap_or_default()) {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn unpause(session: &Session, call: &mut dyn Call_UnpauseContainer, name: Text) -> Sent {
    match session.engine.unpause_container(&name.unwrap_or_default()) {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn wait(session: &Session, call: &mut dyn Call_WaitContainer, name: Text) -> Sent {
    match session
        .engine
        .wait_container(&name.unwrap_or_default(), session.caller.cancel())
    {
        Ok(exit_code) => call.reply(exit_code),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn remove(
    session: &Session,
    call: &mut dyn Call_RemoveContainer,
    name: Text,
    force: Option<bool>,
) -> Sent {
    match session
        .engine
        .remove_container(&name.unwrap_or_default(), force.unwrap_or_default())
    {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}
