//! Create's fields: namespaces and id mappings.

use super::refuse_given;
use crate::{
    engine::request::{IdMappingsRequest, NamespacesRequest},
    settings::Namespaces,
};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &NamespacesRequest) -> Result<Namespaces, String> {
    refuse_given(&[
        ("ipc_mode", request.ipc_mode.is_some()),
        ("pid_mode", request.pid_mode.is_some()),
        ("uts_mode", request.uts_mode.is_some()),
        ("userns_mode", request.userns_mode.is_some()),
        ("uidmap", !request.uidmap.is_empty()),
        ("gidmap", !request.gidmap.is_empty()),
        ("id_mappings", is_given(&request.id_mappings)),
        ("subuidmap", request.subuidmap.is_some()),
        ("subgidmap", request.subgidmap.is_some()),
        ("subuidname", request.subuidname.is_some()),
        ("subgidname", request.subgidname.is_some()),
    ])?;
    Ok(Namespaces {})
}

fn is_given(mappings: &IdMappingsRequest) -> bool {
    mappings.host_uid_mapping
        || mappings.host_gid_mapping
        || mappings.uid_map.is_some()
        || mappings.gid_map.is_some()
}
