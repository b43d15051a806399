//! GetAttachSockets.

use crate::api::{
    errors,
    generated::podman::{Call_GetAttachSockets, Sockets},
    interface::Session,
};

pub(crate) fn sockets(
    session: &Session,
    call: &mut dyn Call_GetAttachSockets,
    name: Option<String>,
) -> varlink::Result<()> {
    match session.engine.attach_sockets(&name.unwrap_or_default()) {
        Ok(sockets) => call.reply(Sockets {
            container_id: sockets.id,
            io_socket: sockets.io.display().to_string(),
            control_socket: sockets.control.display().to_string(),
        }),
        Err(error) => errors::reply(call, error),
    }
}
