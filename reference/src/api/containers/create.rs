//! CreateContainer: every field is handed on, accepted without effect, or named as one that is not honoured yet.

use std::collections::HashMap;

use super::resources;
use crate::{
    api::{
        errors,
        generated::podman::{Call_CreateContainer, Create},
        interface::Session,
    },
    engine::CreateRequest,
};

pub(crate) fn create(
    session: &Session,
    call: &mut dyn Call_CreateContainer,
    create: Option<Create>,
) -> varlink::Result<()> {
    let request = create.map(decode).unwrap_or_default();
    match session.engine.create_container(&request) {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

/// Whether a value says anything: false, zero and emptiness are what a caller sends that sends every field.
pub(super) trait Given {
    fn is_given(&self) -> bool;
}

macro_rules! given {
    ($($type:ty: $test:expr),* $(,)?) => {
        $(impl Given for $type {
            fn is_given(&self) -> bool {
                let test: fn(&Self) -> bool = $test;
                test(self)
            }
        })*
    };
}

given! {
    bool: |value| *value,
    i64: |value| *value != 0,
    f64: |value| *value != 0.0,
    String: |value| !value.is_empty(),
    Vec<String>: |value| !value.is_empty(),
    HashMap<String, String>: |value| !value.is_empty(),
}

impl<T: Given> Given for Option<T> {
    fn is_given(&self) -> bool {
        self.as_ref().is_some_and(Given::is_given)
    }
}

/// The names of those that are given: of variables, or of all the fields of a structure, without `..`, so that a new one does
/// not compile until somebody has decided about it.
macro_rules! names_of_given {
    ($type:ident { $($field:ident),* $(,)? } = $value:expr) => {{
        let $type { $($field),* } = $value;
        $crate::api::containers::create::names_of_given!($($field),*)
    }};
    ($($field:ident),* $(,)?) => {
        [$((stringify!($field), $crate::api::containers::create::Given::is_given(&$field))),*]
            .into_iter()
            .filter_map(|(name, given)| given.then_some(name))
    };
}
pub(super) use names_of_given;

fn given<T: Given>(value: Option<T>) -> Option<T> {
    value.filter(Given::is_given)
}

/// An absent list, and an empty one, leave the image's entrypoint; a single empty string clears it.
fn entrypoint(value: Option<Vec<String>>) -> Option<Vec<String>> {
    given(value).map(|words| {
        if words.iter().all(String::is_empty) {
            Vec::new()
        } else {
            words
        }
    })
}

/// Without `..`, so that a new field does not compile until somebody has decided about it.
#[allow(clippy::too_many_lines)]
fn decode(create: Create) -> CreateRequest {
    let Create {
        args,
        cap_add,
        cap_drop,
        conmon_pidfile,
        cgroup_parent,
        command,
        // Every container is started by StartContainer and runs detached.
        detach: _,
        devices,
        dns_opt,
        dns_search,
        dns_servers,
        entrypoint: entry,
        env,
        exposed_ports,
        gidmap,
        group_add,
        host_add,
        hostname,
        image,
        image_id,
        builtin_imgvolumes,
        id_mappings,
        image_volume_type,
        interactive,
        ipc_mode,
        labels,
        log_driver,
        log_driver_opt,
        name,
        net_mode,
        network,
        pid_mode,
        pod,
        privileged,
        publish,
        publish_all,
        // There is no progress to print.
        quiet: _,
        readonly_rootfs,
        resources,
        rm,
        shm_dir,
        stop_signal,
        stop_timeout,
        subuidmap,
        subgidmap,
        subuidname,
        subgidname,
        sys_ctl,
        tmpfs,
        tty,
        uidmap,
        userns_mode,
        user,
        uts_mode,
        volumes,
        work_dir,
        mount_label,
        process_label,
        no_new_privs,
        apparmor_profile,
        seccomp_profile_path,
        security_opts,
    } = create;
    let mut unsupported: Vec<_> = names_of_given!(
        cap_add,
        cap_drop,
        conmon_pidfile,
        cgroup_parent,
        devices,
        dns_opt,
        dns_search,
        dns_servers,
        exposed_ports,
        gidmap,
        group_add,
        host_add,
        image_id,
        builtin_imgvolumes,
        image_volume_type,
        interactive,
        ipc_mode,
        log_driver,
        log_driver_opt,
        network,
        pid_mode,
        pod,
        privileged,
        publish,
        publish_all,
        readonly_rootfs,
        rm,
        shm_dir,
        subuidmap,
        subgidmap,
        subuidname,
        subgidname,
        sys_ctl,
        tmpfs,
        tty,
        uidmap,
        userns_mode,
        user,
        uts_mode,
        volumes,
        mount_label,
        process_label,
        no_new_privs,
        apparmor_profile,
        seccomp_profile_path,
        security_opts,
    )
    .collect();
    unsupported.extend(resources.into_iter().flat_map(resources::unsupported));
    unsupported.extend(
        id_mappings
            .into_iter()
            .flat_map(resources::unsupported_mappings),
    );
    CreateRequest {
        image: image.unwrap_or_default(),
        name: given(name),
        // Further arguments follow the command, or stand in its place.
        command: [command, args].into_iter().flatten().flatten().collect(),
        entrypoint: entrypoint(entry),
        env: env.into_iter().flatten().collect(),
        hostname: given(hostname),
        work_dir: given(work_dir),
        labels: labels.into_iter().flatten().collect(),
        net_mode: given(net_mode),
        stop_signal: given(stop_signal),
        stop_timeout: given(stop_timeout),
        unsupported,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn decoded(create: serde_json::Value) -> CreateRequest {
        decode(serde_json::from_value(create).unwrap())
    }

    #[test]
    fn the_fields_of_the_spine_are_handed_on() {
        let request = decoded(json!({
            "image": "probe", "name": "a", "command": ["/probe", "x"], "args": ["y"], "env": {"A": "b=c"},
            "hostname": "h", "work_dir": "/w", "labels": {"l": ""}, "net_mode": "none",
            "stop_signal": 9, "stop_timeout": 5, "entrypoint": ["/e"],
        }));
        assert_eq!(request.image, "probe");
        assert_eq!(request.name.as_deref(), Some("a"));
        assert_eq!(request.command, ["/probe", "x", "y"]);
        assert_eq!(request.env.get("A").map(String::as_str), Some("b=c"));
        assert_eq!(request.hostname.as_deref(), Some("h"));
        assert_eq!(request.work_dir.as_deref(), Some("/w"));
        assert_eq!(request.labels.get("l").map(String::as_str), Some(""));
        assert_eq!(request.net_mode.as_deref(), Some("none"));
        assert_eq!(
            (request.stop_signal, request.stop_timeout),
            (Some(9), Some(5))
        );
        assert_eq!(request.entrypoint, Some(vec!["/e".to_owned()]));
        assert!(request.unsupported.is_empty());
    }

    #[rstest]
    #[case::absent(json!({}), None)]
    #[case::empty(json!({"entrypoint": []}), None)]
    #[case::cleared(json!({"entrypoint": [""]}), Some(vec![]))]
    fn an_entrypoint_is_kept_or_cleared(
        #[case] create: serde_json::Value,
        #[case] expected: Option<Vec<String>>,
    ) {
        assert_eq!(decoded(create).entrypoint, expected);
    }

    #[rstest]
    #[case::zero_values(json!({"pod": "", "tty": false, "user": "", "sys_ctl": {}, "resources": {"memory": 0, "ulimit": []}, "id_mappings": {"host_uid_mapping": false, "uid_map": {"size": 0}}}), &[])]
    #[case::without_effect(json!({"detach": true, "quiet": true}), &[])]
    #[case::flag(json!({"tty": true}), &["tty"])]
    #[case::list(json!({"volumes": ["/a:/b"], "cap_add": ["X"]}), &["cap_add", "volumes"])]
    #[case::resources(json!({"resources": {"memory": 1, "cpus": 0.5}}), &["cpus", "memory"])]
    #[case::mappings(json!({"id_mappings": {"gid_map": {"size": 1}}}), &["id_mappings"])]
    fn fields_that_are_not_honoured_are_named(
        #[case] create: serde_json::Value,
        #[case] expected: &[&str],
    ) {
        assert_eq!(decoded(create).unsupported, expected);
    }
}
