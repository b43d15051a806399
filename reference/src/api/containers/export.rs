//! ExportContainer.

use crate::api::{errors, generated::podman::Call_ExportContainer, interface::Session};

pub(crate) fn export(
    session: &Session,
    call: &mut dyn Call_ExportContainer,
    name: Option<String>,
    path: Option<String>,
) -> varlink::Result<()> {
    let path = path.unwrap_or_default();
    match session
        .engine
        .export_container(&name.unwrap_or_default(), &path)
    {
        Ok(()) => call.reply(path),
        Err(error) => errors::reply(call, error),
    }
}
