//! Create's fields: who the processes are and what they may do.

use super::{capabilities, devices, refuse_given};
use crate::{
    engine::{request::SecurityRequest, user},
    settings::Security,
    sys::capabilities::held,
};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &SecurityRequest) -> Result<Security, String> {
    refuse_given(&[
        ("sys_ctl", !request.sys_ctl.is_empty()),
        (
            "seccomp_profile_path",
            request.seccomp_profile_path.is_some(),
        ),
        ("security_opts", !request.security_opts.is_empty()),
        ("apparmor_profile", request.apparmor_profile.is_some()),
        ("mount_label", request.mount_label.is_some()),
        ("process_label", request.process_label.is_some()),
    ])?;
    for group in &request.group_add {
        user::check(group).map_err(|why| format!("group_add: {why}"))?;
    }
    let held = held().map_err(|error| format!("cap_add: cannot tell what there is: {error}"))?;
    Ok(Security {
        groups: request.group_add.clone(),
        capabilities: capabilities::check(&request.cap_add, &request.cap_drop, held)?,
        privileged: request.privileged,
        no_new_privileges: request.no_new_privs,
        devices: devices::check(&request.devices)?,
        read_only: request.readonly_rootfs,
    })
}
