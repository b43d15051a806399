//! Create's fields: who the processes are and what they may do.

use super::{
    capabilities, devices, seccomp,
    security_opts::{self, SecurityOpts, merge},
    sysctls::{self, Own},
};
use crate::{
    engine::{request::SecurityRequest, user},
    settings::Security,
    sys::{capabilities::held, lsm},
};

/// What was asked for, checked, for a container with namespaces of its own as told; the error names the field and the value.
pub(super) fn check(request: &SecurityRequest, own: Own) -> Result<Security, String> {
    let words = security_opts::read(&request.security_opts)?;
    for group in &request.group_add {
        user::check(group).map_err(|why| format!("group_add: {why}"))?;
    }
    labels(request, &words)?;
    let held = held().map_err(|error| format!("cap_add: cannot tell what there is: {error}"))?;
    let no_new_privileges = merge(
        ("no_new_privs", request.no_new_privs.then_some(true)),
        ("no-new-privileges", words.no_new_privileges),
    )?;
    Ok(Security {
        groups: request.group_add.clone(),
        capabilities: capabilities::check(&request.cap_add, &request.cap_drop, held)?,
        privileged: request.privileged,
        no_new_privileges: no_new_privileges.unwrap_or(false),
        devices: devices::check(&request.devices)?,
        sysctls: sysctls::check(&request.sys_ctl, own)?,
        seccomp: seccomp::check(request.seccomp_profile_path.as_deref(), &words)?,
        apparmor: apparmor(request, &words)?,
        read_only: request.readonly_rootfs,
    })
}

/// The AppArmor profile; `None` without AppArmor, where nothing confines.
fn apparmor(request: &SecurityRequest, words: &SecurityOpts) -> Result<Option<String>, String> {
    let given = merge(
        ("apparmor_profile", request.apparmor_profile.clone()),
        ("apparmor", words.apparmor.clone()),
    )?;
    let Some(profile) = given else {
        return Ok(None);
    };
    let refused = |why: &str| Err(format!("apparmor_profile: {profile:?}: {why}"));
    if profile == lsm::UNCONFINED {
        return Ok(lsm::has_apparmor().then_some(profile));
    }
    if !lsm::has_apparmor() {
        return refused("this host does not use AppArmor");
    }
    match lsm::has_apparmor_profile(&profile) {
        Ok(true) => Ok(Some(profile)),
        Ok(false) => refused("this host has no such profile"),
        Err(error) => refused(&format!("this host does not tell its profiles: {error}")),
    }
}

/// Labels are refused: without SELinux they mean nothing, and with it nothing here sets them.
fn labels(request: &SecurityRequest, words: &SecurityOpts) -> Result<(), String> {
    let why = if lsm::has_selinux() {
        "this service sets no SELinux labels"
    } else {
        "this host does not use SELinux"
    };
    let given = [
        ("mount_label", request.mount_label.as_ref()),
        ("process_label", request.process_label.as_ref()),
        ("security_opts: label", words.label.first()),
    ];
    match given
        .into_iter()
        .find_map(|(field, label)| Some((field, label?)))
    {
        Some((field, label)) => Err(format!("{field}: {label:?}: {why}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OWN: Own = Own {
        network: true,
        ipc: true,
    };

    fn with(change: impl FnOnce(&mut SecurityRequest)) -> Result<Security, String> {
        let mut request = SecurityRequest::default();
        change(&mut request);
        check(&request, OWN)
    }

    #[test]
    fn words_mean_what_the_fields_mean() {
        let by_word = with(|r| r.security_opts = vec!["no-new-privileges".into()]);
        let by_field = with(|r| r.no_new_privs = true);
        assert_eq!(by_word, by_field);
        assert!(by_word.unwrap().no_new_privileges);
        let both = with(|r| {
            r.no_new_privs = true;
            r.security_opts = vec!["no-new-privileges=false".into()];
        });
        assert!(both.unwrap_err().contains("no_new_privs"));
    }

    #[rstest]
    #[case::mount("mount_label", |r: &mut SecurityRequest| r.mount_label = Some("a:b:c:s0".into()))]
    #[case::process("process_label", |r: &mut SecurityRequest| r.process_label = Some("a:b:c:s0".into()))]
    #[case::word("security_opts", |r: &mut SecurityRequest| r.security_opts = vec!["label=type:x".into()])]
    #[case::profile("apparmor_profile", |r: &mut SecurityRequest| r.apparmor_profile = Some("no-such".into()))]
    fn what_this_host_cannot_do_is_refused(
        #[case] field: &str,
        #[case] change: fn(&mut SecurityRequest),
    ) {
        let error = with(change).unwrap_err();
        assert!(error.contains(field), "{error}");
    }

    #[test]
    fn no_confinement_can_be_had_everywhere() {
        assert!(with(|r| r.apparmor_profile = Some("unconfined".into())).is_ok());
        assert!(with(|r| r.security_opts = vec!["label=disable".into()]).is_ok());
    }
}
