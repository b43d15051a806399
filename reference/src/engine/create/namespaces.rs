//! Create's fields: namespaces.

use super::{ids, join};
use crate::{
    engine::request::NamespacesRequest,
    settings::{Namespace, Namespaces},
};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(
    request: &NamespacesRequest,
    shm_size: Option<i64>,
) -> Result<Namespaces, String> {
    let ipc = join::read("ipc_mode", request.ipc_mode.as_deref())?;
    if let (Some(size), true) = (shm_size, ipc != Namespace::Private) {
        return Err(format!(
            "shm_size: {size}: with this ipc_mode the shared memory is another's"
        ));
    }
    Ok(Namespaces {
        ipc,
        pid: join::read("pid_mode", request.pid_mode.as_deref())?,
        uts: uts(request.uts_mode.as_deref())?,
        ids: ids::check(request)?,
    })
}

/// Whose host name a container has.
pub(super) fn uts(mode: Option<&str>) -> Result<Namespace, String> {
    match mode {
        None | Some("" | "private") => Ok(Namespace::Private),
        Some("host") => Ok(Namespace::Host),
        Some(other) => Err(format!("uts_mode: {other:?} is not host or private")),
    }
}
