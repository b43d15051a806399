//! ListContainerProcesses.

use crate::api::{errors, generated::podman::Call_ListContainerProcesses, interface::Session};

pub(crate) fn list(
    session: &Session,
    call: &mut dyn Call_ListContainerProcesses,
    name: Option<String>,
    options: Option<Vec<String>>,
) -> varlink::Result<()> {
    let name = name.unwrap_or_default();
    match session
        .engine
        .container_processes(&name, &options.unwrap_or_default())
    {
        Ok(lines) => call.reply(lines),
        Err(error) => errors::reply(call, error),
    }
}
