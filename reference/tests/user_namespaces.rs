//! Containers with ids of their own: who their processes and files are, inside, on the host and on disk.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf};

use host::{Host, request};
use podman_reference::engine::{
    CreateRequest,
    request::{NamespacesRequest, NetworkRequest, SecurityRequest, StdioRequest},
};

/// Users and groups of the container are different ones on the host.
fn mapped(script: &str) -> CreateRequest {
    CreateRequest {
        namespaces: namespaces(),
        ..request(&["sh", "-c", script])
    }
}

fn namespaces() -> NamespacesRequest {
    NamespacesRequest {
        uidmap: vec!["0:100000:1000".into(), "1000:300000:10".into()],
        gidmap: vec!["0:200000:1000".into()],
        ..NamespacesRequest::default()
    }
}

fn run(host: &Host, request: &CreateRequest) -> (String, i64, Vec<String>) {
    let id = host.try_create(request).unwrap();
    host.start(&id);
    let code = host.wait(&id);
    let lines = host.log(&id);
    (id, code, lines)
}

fn upper(host: &Host, id: &str) -> PathBuf {
    let inspection = host.engine().inspect_container(id).unwrap();
    inspection.graph_driver.data.upper_dir.into()
}

fn owner(path: &std::path::Path) -> (u32, u32) {
    let status = fs::symlink_metadata(path).unwrap();
    (status.uid(), status.gid())
}

#[test]
fn processes_are_others_on_the_host() {
    let host = Host::new();
    let id = host
        .try_create(&mapped("id; cat /proc/self/uid_map; exec sleep 1000"))
        .unwrap();
    host.start(&id);
    host.wait_for_lines(&id, 3);
    let log = host.log(&id);
    assert!(log[0].starts_with("uid=0(root) gid=0(root)"), "{log:?}");
    let numbers: Vec<&str> = log[1..].iter().flat_map(|l| l.split_whitespace()).collect();
    assert_eq!(numbers, ["0", "100000", "1000", "1000", "300000", "10"]);
    let told = host.engine().container(&id).unwrap().namespaces;
    let status = fs::read_to_string(format!("/proc/{}/status", told.pid)).unwrap();
    assert!(
        status.contains("Uid:\t100000\t100000\t100000\t100000"),
        "{status}"
    );
    assert!(
        status.contains("Gid:\t200000\t200000\t200000\t200000"),
        "{status}"
    );
    let own = fs::read_link("/proc/self/ns/user").unwrap();
    assert!(!own.to_str().unwrap().contains(&told.user), "{told:?}");
}

#[test]
fn files_belong_to_the_ids_inside_on_disk_too_and_keep_doing_so() {
    let mut host = Host::new();
    let script = "ls -lnd / /bin/busybox /etc/hosts /dev /dev/shm /dev/null /new/dir; echo x >>/etc/group; touch /made; \
        ls -ln /made; echo y >>/etc/hosts";
    let mut request = mapped(script);
    request.work_dir = Some("/new/dir".into());
    let id = host.try_create(&request).unwrap();
    for _ in 0..2 {
        host.start(&id);
        assert_eq!(host.wait(&id), 0, "{:?}", host.log(&id));
        host.reopen();
    }
    let log = host.log(&id);
    for line in log.iter().filter(|line| line.contains('/')) {
        let ids: Vec<&str> = line.split_whitespace().skip(2).take(2).collect();
        assert_eq!(ids, ["0", "0"], "{line}");
    }
    let upper = upper(&host, &id);
    for name in ["made", "etc/group", "new", "new/dir"] {
        assert_eq!(owner(&upper.join(name)), (0, 0), "{name}");
    }
    let changes = host.engine().container_changes(&id).unwrap();
    assert_eq!(changes.added, ["/made"]);
    assert_eq!(changes.changed, ["/etc/group"]);
    let exported = host.path("exported.tar");
    let path = exported.to_str().unwrap();
    host.engine().export_container(&id, path).unwrap();
    let mut archive = tar::Archive::new(fs::File::open(&exported).unwrap());
    let owners = archive.entries().unwrap().map(|entry| {
        let header = entry.unwrap().header().clone();
        (header.uid().unwrap(), header.gid().unwrap())
    });
    assert!(owners.into_iter().all(|ids| ids == (0, 0)));
}

#[test]
fn users_and_groups_are_those_inside() {
    let host = Host::new();
    let mut request =
        mapped("id -u; id -g; id -G; touch /tmp/mine; ls -ln /tmp/mine; cat /proc/self/setgroups");
    request.security.user = Some("ann".into());
    request.security.group_add = vec!["500".into()];
    let (id, code, log) = run(&host, &request);
    assert_eq!(code, 0, "{log:?}");
    assert_eq!(log[..3], ["1000", "100", "100 10 500"]);
    assert!(log[3].contains(" 1000     100 "), "{log:?}");
    assert_eq!(owner(&upper(&host, &id).join("tmp/mine")), (1000, 100));
}

#[test]
fn nobody_runs_whom_the_container_does_not_have() {
    let host = Host::new();
    for (user, groups) in [
        ("2000", vec![]),
        ("1000:2000", vec![]),
        ("1000", vec!["1000".to_owned()]),
    ] {
        let mut request = mapped("true");
        request.security.user = Some(user.into());
        request.security.group_add = groups;
        let id = host.try_create(&request).unwrap();
        let error = host.engine().start_container(&id).unwrap_err();
        assert!(error.to_string().contains("in no range"), "{error}");
        host.assert_at_rest(&id);
    }
}

#[test]
fn without_a_root_of_its_own_a_container_runs_as_whom_it_has() {
    let host = Host::new();
    let mut request = mapped("id -u; ls -lnd /bin | cut -c1-40");
    request.namespaces = NamespacesRequest {
        uidmap: vec!["1000:300000:1".into()],
        gidmap: vec!["100:300000:1".into()],
        ..NamespacesRequest::default()
    };
    request.security.user = Some("1000:100".into());
    let (_, code, log) = run(&host, &request);
    assert_eq!((code, log[0].as_str()), (0, "1000"), "{log:?}");
}

#[test]
fn it_can_do_in_its_namespaces_what_its_capabilities_say_and_nothing_to_the_hosts() {
    let host = Host::new();
    let script = "mkdir /m && mount -t tmpfs none /m && echo mounted; \
        hostname other && hostname; \
        umount /proc/sys 2>/dev/null || echo kept; umount /sys/firmware 2>/dev/null || echo masked; \
        mount -o remount,rw /proc/sys 2>/dev/null || echo read-only; \
        echo 1 2>/dev/null >/proc/sys/kernel/panic || echo no; hostname";
    let mut request = mapped(script);
    request.security = SecurityRequest {
        cap_add: vec!["SYS_ADMIN".into()],
        ..SecurityRequest::default()
    };
    request.hostname = Some("box".into());
    // busybox without applets of these names.
    request.command = vec![
        "sh".into(),
        "-c".into(),
        script
            .replace("mount -", "busybox mount -")
            .replace("umount /", "busybox umount /"),
    ];
    let (_, code, log) = run(&host, &request);
    assert_eq!(code, 0, "{log:?}");
    assert_eq!(
        log,
        [
            "mounted",
            "other",
            "kept",
            "masked",
            "read-only",
            "no",
            "other"
        ]
    );
}

#[test]
fn standard_streams_and_terminals_are_its_own() {
    let host = Host::new();
    let (_, code, log) = run(
        &host,
        &mapped("echo out >/dev/stdout; echo err >/dev/stderr"),
    );
    assert_eq!((code, log.len()), (0, 2), "{log:?}");
    let mut request = mapped("test -t 0 && ls -ln /dev/pts/0 && echo again >/dev/pts/0");
    request.stdio = StdioRequest {
        tty: true,
        ..StdioRequest::default()
    };
    let (_, code, log) = run(&host, &request);
    assert_eq!(code, 0, "{log:?}");
    let ids: Vec<&str> = log[0].split_whitespace().skip(2).take(2).collect();
    assert_eq!(ids, ["0", "5"], "{log:?}");
    assert_eq!(log[1].trim(), "again");
}

#[test]
fn namespaces_of_the_host_and_of_others_go_with_it() {
    let host = Host::new();
    let with = |change: fn(&mut CreateRequest)| {
        let mut request = mapped("ls /proc/1 /sys/class /dev/mqueue /dev/shm >/dev/null; hostname");
        change(&mut request);
        let (_, code, log) = run(&host, &request);
        assert_eq!(code, 0, "{log:?}");
    };
    with(|request| request.namespaces.pid_mode = Some("host".into()));
    with(|request| request.namespaces.ipc_mode = Some("host".into()));
    with(|request| request.namespaces.uts_mode = Some("host".into()));
    with(|request| {
        request.network = NetworkRequest {
            net_mode: Some("host".into()),
            ..NetworkRequest::default()
        };
    });
    let first = host.create("echo shared >/dev/shm/there; exec sleep 1000");
    host.start(&first);
    let mut request = mapped("cat /dev/shm/there");
    request.namespaces.ipc_mode = Some(format!("container:{first}"));
    request.namespaces.pid_mode = Some(format!("container:{first}"));
    let (_, code, log) = run(&host, &request);
    assert_eq!((code, log), (0, vec!["shared".to_owned()]));
}

#[test]
fn parameters_of_its_namespaces_are_set() {
    let host = Host::new();
    let mut request = mapped(
        "cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/sys/fs/mqueue/msg_max",
    );
    request.security.sys_ctl = [
        ("kernel.msgmax", "9000"),
        ("net.ipv4.ip_forward", "1"),
        ("fs.mqueue.msg_max", "20"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let (_, code, log) = run(&host, &request);
    assert_eq!(
        (code, log),
        (0, ["9000", "1", "20"].map(str::to_owned).to_vec())
    );
}

#[test]
fn nothing_is_left_of_it() {
    let host = Host::new();
    let (id, ..) = run(&host, &mapped("true"));
    host.assert_at_rest(&id);
    let running = host.try_create(&mapped("exec sleep 1000")).unwrap();
    host.start(&running);
    assert_eq!(host.mounts().len(), 1, "{:?}", host.mounts());
    host.engine().remove_container(&running, true).unwrap();
    host.engine().remove_container(&id, false).unwrap();
    host.assert_gone(&id);
    host.assert_gone(&running);
    assert!(host.mounts().is_empty());
}

#[test]
fn what_is_mounted_goes_with_it() {
    let host = Host::new();
    let volume = host.path("volume");
    fs::create_dir(&volume).unwrap();
    fs::write(volume.join("of-the-host"), "read").unwrap();
    let script = "pwd; cat /host/of-the-host; touch /host/no 2>/dev/null || echo kept; touch /t/yes && ls -lnd /t /t/yes; ls /home";
    let mut request = mapped(script);
    request.mounts.volumes = vec![format!("{}:/host", volume.display()), "/home".into()];
    request.mounts.tmpfs = vec!["/t".into()];
    request.work_dir = Some("/new/dir".into());
    let (id, code, log) = run(&host, &request);
    assert_eq!(code, 0, "{log:?}");
    assert_eq!(log[..2], ["/new/dir", "readkept"], "{log:?}");
    for line in &log[2..4] {
        let ids: Vec<&str> = line.split_whitespace().skip(2).take(2).collect();
        assert_eq!(ids, ["0", "0"], "{line}");
    }
    assert_eq!(log[4], "ann", "{log:?}");
    assert_eq!(owner(&upper(&host, &id).join("new/dir")), (0, 0));
}
