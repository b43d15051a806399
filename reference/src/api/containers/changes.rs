//! ListContainerChanges.

use crate::api::{
    errors,
    generated::podman::{Call_ListContainerChanges, ContainerChanges},
    interface::Session,
};

pub(crate) fn list(
    session: &Session,
    call: &mut dyn Call_ListContainerChanges,
    name: Option<String>,
) -> varlink::Result<()> {
    match session.engine.container_changes(&name.unwrap_or_default()) {
        Ok(found) => call.reply(ContainerChanges {
            changed: found.changed,
            added: found.added,
            deleted: found.deleted,
        }),
        Err(error) => errors::reply(call, error),
    }
}
