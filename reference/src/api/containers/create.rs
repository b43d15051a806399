//! CreateContainer: every field is handed on, or accepted without effect.

use std::collections::HashMap;

use super::resources;
use crate::{
    api::{
        errors,
        generated::podman::{Call_CreateContainer, Create},
        interface::Session,
    },
    engine::{
        CreateRequest,
        request::{
            LifecycleRequest, MountsRequest, NamespacesRequest, NetworkRequest, ResourcesRequest,
            SecurityRequest, StdioRequest,
        },
    },
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

pub(super) fn given<T: Given>(value: Option<T>) -> Option<T> {
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
    CreateRequest {
        image: image.unwrap_or_default(),
        image_id: given(image_id),
        name: given(name),
        pod: given(pod),
        // Further arguments follow the command, or stand in its place.
        command: [command, args].into_iter().flatten().flatten().collect(),
        entrypoint: entrypoint(entry),
        env: env.into_iter().flatten().collect(),
        hostname: given(hostname),
        work_dir: given(work_dir),
        labels: labels.into_iter().flatten().collect(),
        stop_signal: given(stop_signal),
        stop_timeout: given(stop_timeout),
        security: SecurityRequest {
            user: given(user),
            group_add: group_add.unwrap_or_default(),
            cap_add: cap_add.unwrap_or_default(),
            cap_drop: cap_drop.unwrap_or_default(),
            privileged: privileged.unwrap_or_default(),
            no_new_privs: no_new_privs.unwrap_or_default(),
            devices: devices.unwrap_or_default(),
            readonly_rootfs: readonly_rootfs.unwrap_or_default(),
            sys_ctl: sys_ctl.into_iter().flatten().collect(),
            seccomp_profile_path: given(seccomp_profile_path),
            security_opts: security_opts.unwrap_or_default(),
            apparmor_profile: given(apparmor_profile),
            mount_label: given(mount_label),
            process_label: given(process_label),
        },
        resources: ResourcesRequest {
            cgroup_parent: given(cgroup_parent),
            ..resources.map(resources::decode).unwrap_or_default()
        },
        namespaces: NamespacesRequest {
            ipc_mode: given(ipc_mode),
            pid_mode: given(pid_mode),
            uts_mode: given(uts_mode),
            userns_mode: given(userns_mode),
            uidmap: uidmap.unwrap_or_default(),
            gidmap: gidmap.unwrap_or_default(),
            id_mappings: id_mappings
                .map(resources::decode_mappings)
                .unwrap_or_default(),
            subuidmap: given(subuidmap),
            subgidmap: given(subgidmap),
            subuidname: given(subuidname),
            subgidname: given(subgidname),
        },
        network: NetworkRequest {
            net_mode: given(net_mode),
            network: given(network),
            publish: publish.unwrap_or_default(),
            publish_all: publish_all.unwrap_or_default(),
            exposed_ports: exposed_ports.unwrap_or_default(),
            dns_servers: dns_servers.unwrap_or_default(),
            dns_search: dns_search.unwrap_or_default(),
            dns_opt: dns_opt.unwrap_or_default(),
            host_add: host_add.unwrap_or_default(),
        },
        mounts: MountsRequest {
            volumes: volumes.unwrap_or_default(),
            tmpfs: tmpfs.unwrap_or_default(),
            image_volume_type: given(image_volume_type),
            builtin_imgvolumes: builtin_imgvolumes.unwrap_or_default(),
            shm_dir: given(shm_dir),
        },
        stdio: StdioRequest {
            tty: tty.unwrap_or_default(),
            interactive: interactive.unwrap_or_default(),
            log_driver: given(log_driver),
            log_driver_opt: log_driver_opt.unwrap_or_default(),
        },
        lifecycle: LifecycleRequest {
            rm: rm.unwrap_or_default(),
            conmon_pidfile: given(conmon_pidfile),
        },
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
        assert_eq!(request.network.net_mode.as_deref(), Some("none"));
        assert_eq!(
            (request.stop_signal, request.stop_timeout),
            (Some(9), Some(5))
        );
        assert_eq!(request.entrypoint, Some(vec!["/e".to_owned()]));
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

    #[test]
    fn zero_values_are_not_given() {
        let request = decoded(json!({
            "pod": "", "tty": false, "user": "", "sys_ctl": {}, "resources": {"memory": 0, "ulimit": []},
            "id_mappings": {"host_uid_mapping": false, "uid_map": {"size": 0}},
        }));
        assert_eq!(
            format!("{request:?}"),
            format!("{:?}", CreateRequest::default())
        );
    }

    #[test]
    fn inner_structures_are_handed_on() {
        let request = decoded(json!({
            "resources": {"memory": 1, "cpus": 0.5}, "cgroup_parent": "/p",
            "id_mappings": {"gid_map": {"size": 1}},
        }));
        assert_eq!(request.resources.memory, Some(1));
        assert_eq!(request.resources.cpus, Some(0.5));
        assert_eq!(request.resources.cgroup_parent.as_deref(), Some("/p"));
        let groups = request.namespaces.id_mappings.gid_map.unwrap();
        assert_eq!((groups.container_id, groups.size), (0, 1));
    }
}
