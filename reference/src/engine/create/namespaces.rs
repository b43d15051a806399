//! Create's fields: namespaces and id mappings.

use super::{join, refuse_given};
use crate::{
    engine::request::{IdMappingsRequest, NamespacesRequest},
    settings::{Namespace, Namespaces},
};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(
    request: &NamespacesRequest,
    shm_size: Option<i64>,
) -> Result<Namespaces, String> {
    refuse_given(&[
        ("userns_mode", request.userns_mode.is_some()),
        ("uidmap", !request.uidmap.is_empty()),
        ("gidmap", !request.gidmap.is_empty()),
        ("id_mappings", is_given(&request.id_mappings)),
        ("subuidmap", request.subuidmap.is_some()),
        ("subgidmap", request.subgidmap.is_some()),
        ("subuidname", request.subuidname.is_some()),
        ("subgidname", request.subgidname.is_some()),
    ])?;
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

fn is_given(mappings: &IdMappingsRequest) -> bool {
    mappings.host_uid_mapping
        || mappings.host_gid_mapping
        || mappings.uid_map.is_some()
        || mappings.gid_map.is_some()
}
