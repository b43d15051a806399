//! Create's fields: who the processes are and what they may do.

use super::refuse_given;
use crate::{engine::request::SecurityRequest, settings::Security};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &SecurityRequest) -> Result<Security, String> {
    refuse_given(&[
        ("user", request.user.is_some()),
        ("group_add", !request.group_add.is_empty()),
        ("cap_add", !request.cap_add.is_empty()),
        ("cap_drop", !request.cap_drop.is_empty()),
        ("privileged", request.privileged),
        ("no_new_privs", request.no_new_privs),
        ("devices", !request.devices.is_empty()),
        ("readonly_rootfs", request.readonly_rootfs),
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
    Ok(Security {})
}
