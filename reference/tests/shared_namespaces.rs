//! Containers that share namespaces with each other or with the host: who may be removed, and that each still ends as a whole.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs,
    time::{Duration, Instant},
};

use host::{Host, request};
use podman_reference::engine::{
    CreateRequest,
    request::{LifecycleRequest, NamespacesRequest},
};

/// Shells that each make the next one and end: whoever reads a list of them comes too late.
const CHAIN: &str = "f() { true; f & }; f & echo begun; sleep 0.5; exit 3";

fn with(script: &str, namespaces: NamespacesRequest) -> CreateRequest {
    CreateRequest {
        namespaces,
        ..request(&["sh", "-c", script])
    }
}

fn among_the_hosts(script: &str) -> CreateRequest {
    let namespaces = NamespacesRequest {
        pid_mode: Some("host".into()),
        ..NamespacesRequest::default()
    };
    with(script, namespaces)
}

fn beside(other: &str, script: &str) -> CreateRequest {
    let namespaces = NamespacesRequest {
        ipc_mode: Some(format!("container:{other}")),
        pid_mode: Some(format!("container:{other}")),
        ..NamespacesRequest::default()
    };
    with(script, namespaces)
}

/// The processes of a container, dead ones that nobody collected too.
fn processes(id: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let named = all.map(|entry| entry.path().join("cgroup"));
    named
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(id)))
        .map(|path| path.display().to_string())
        .collect()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn among_the_hosts_processes_a_container_ends_as_a_whole() {
    let host = Host::new();
    let id = host.try_create(&among_the_hosts(CHAIN)).unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 3);
    assert_eq!(processes(&id), Vec::<String>::new());
    host.engine().remove_container(&id, false).unwrap();
    host.assert_gone(&id);
}

#[test]
fn so_it_does_when_its_monitor_was_killed_before() {
    let host = Host::new();
    let script = "sleep 1000 & echo begun; exec sleep 1000";
    let id = host.try_create(&among_the_hosts(script)).unwrap();
    host.start(&id);
    host.wait_for_lines(&id, 1);
    let pid = host.engine().container(&id).unwrap().namespaces.pid;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let monitor = fields.split_whitespace().nth(1).unwrap().parse().unwrap();
    let command = fs::read_to_string(format!("/proc/{monitor}/cmdline")).unwrap();
    assert!(
        command.contains("monitor") && command.contains(&id),
        "{command}"
    );
    let monitor = nix::unistd::Pid::from_raw(monitor);
    nix::sys::signal::kill(monitor, nix::sys::signal::Signal::SIGKILL).unwrap();
    host.engine().kill_container(&id, Some(9)).unwrap();
    assert_eq!(host.wait(&id), -1);
    assert_eq!(processes(&id), Vec::<String>::new());
}

#[test]
fn a_container_ends_with_the_one_whose_processes_it_is_among() {
    let host = Host::new();
    let first = host.create("echo begun; exec sleep 1000");
    host.start(&first);
    let second = host.try_create(&beside(&first, "echo begun; sleep 1000"));
    let second = second.unwrap();
    host.start(&second);
    host.wait_for_lines(&second, 1);
    host.engine().kill_container(&first, Some(9)).unwrap();
    assert_eq!(host.wait(&second), 137);
    assert_eq!(processes(&second), Vec::<String>::new());
}

#[test]
fn the_next_daemon_knows_who_uses_whom() {
    let mut host = Host::new();
    let first = host.create("exec sleep 1000");
    let second = host.try_create(&beside(&first, "true")).unwrap();
    host.start(&first);
    host.reopen();
    let error = host.engine().remove_container(&first, true).unwrap_err();
    assert!(error.to_string().contains(&second), "{error}");
    assert_eq!(host.status(&first), "running");
    host.start(&second);
    assert_eq!(host.wait(&second), 0);
    host.engine().remove_container(&second, false).unwrap();
    host.engine().remove_container(&first, true).unwrap();
}

#[test]
fn one_that_is_to_go_at_its_end_goes_with_its_last_user() {
    let host = Host::new();
    let lifecycle = LifecycleRequest {
        rm: true,
        ..LifecycleRequest::default()
    };
    let first = CreateRequest {
        lifecycle: lifecycle.clone(),
        ..request(&["sh", "-c", "exec sleep 1000"])
    };
    let first = host.try_create(&first).unwrap();
    host.start(&first);
    let users = [false, true].map(|rm| {
        let request = CreateRequest {
            lifecycle: LifecycleRequest {
                rm,
                ..lifecycle.clone()
            },
            ..beside(&first, "exec sleep 1000")
        };
        host.try_create(&request).unwrap()
    });
    host.start(&users[1]);
    // It ends with the first one, and is gone; that one is kept for the other user.
    host.engine().kill_container(&first, Some(9)).unwrap();
    let gone = |id: &str| host.engine().container(id).is_err();
    until("the end of the user", || gone(&users[1]));
    assert_eq!(host.status(&first), "exited");
    host.engine().remove_container(&users[0], false).unwrap();
    until("the end of the used", || gone(&first));
}

#[test]
fn images_go_with_containers_that_use_each_other() {
    let host = Host::new();
    let first = host.create("true");
    let mut last = first;
    for _ in 0..4 {
        last = host.try_create(&beside(&last, "true")).unwrap();
    }
    host.engine().remove_image("busybox", true).unwrap();
    assert!(host.engine().containers().unwrap().is_empty());
}

#[test]
fn a_creation_that_fails_holds_nobody() {
    let host = Host::new();
    let first = host.create("true");
    let mut refused = beside(&first, "true");
    refused.name = Some("no name".into());
    host.try_create(&refused).unwrap_err();
    host.engine().remove_container(&first, false).unwrap();
}
