//! A container that is not to be kept is removed once it has ended, whoever was there to see it; and its monitor's pid is told.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use host::{Host, NEVER, request};

const PATIENCE: Duration = Duration::from_secs(20);

/// A container that is not to be kept.
fn create(host: &Host, script: &str) -> String {
    let mut create = request(&["sh", "-c", script]);
    create.lifecycle.rm = true;
    host.try_create(&create).unwrap()
}

fn until_gone(host: &Host, id: &str) {
    let end = Instant::now() + PATIENCE;
    while host.engine().container(id).is_ok() {
        assert!(Instant::now() < end, "it is still there");
        sleep(Duration::from_millis(10));
    }
    assert!(!host.root().join("containers").join(id).exists());
}

#[test]
fn it_goes_with_everything_that_it_had() {
    let host = Host::new();
    let id = create(&host, "exit 5");
    host.engine().start_container(&id).unwrap();
    assert_eq!(host.engine().wait_container(&id, NEVER).unwrap(), 5);
    until_gone(&host, &id);
    assert_eq!(host.mounts(), Vec::<String>::new());
    assert_eq!(fs::read_dir(host.runroot().join("run")).unwrap().count(), 0);
}

#[test]
fn one_that_ended_while_nobody_served_is_removed_by_the_next_daemon() {
    let mut host = Host::new();
    let (ended, kept) = (create(&host, "sleep 0.2"), create(&host, "exit 0"));
    host.engine().start_container(&ended).unwrap();
    let pid = host.engine().container(&ended).unwrap().namespaces.pid;
    host.close();
    let end = Instant::now() + PATIENCE;
    while fs::exists(format!("/proc/{pid}/status")).unwrap() {
        assert!(Instant::now() < end, "it runs on");
        sleep(Duration::from_millis(10));
    }
    host.open();
    until_gone(&host, &ended);
    assert_eq!(host.status(&kept), "configured");
}

#[test]
fn one_that_runs_on_is_removed_by_the_next_daemon_when_it_ends() {
    let mut host = Host::new();
    let id = create(&host, "sleep 1000");
    host.engine().start_container(&id).unwrap();
    host.reopen();
    assert_eq!(host.status(&id), "running");
    host.engine().kill_container(&id, Some(9)).unwrap();
    until_gone(&host, &id);
}

#[test]
fn many_that_end_at_once_are_all_removed() {
    let host = Host::new();
    let ids: Vec<String> = (0..8).map(|_| create(&host, "exit 0")).collect();
    for id in &ids {
        host.engine().start_container(id).unwrap();
    }
    ids.iter().for_each(|id| until_gone(&host, id));
    assert!(host.engine().containers().unwrap().is_empty());
}

#[test]
fn the_pid_of_the_monitor_is_written_where_it_was_asked_for() {
    let host = Host::new();
    let path = host.path("conmon.pid");
    let mut create = request(&["sleep", "1000"]);
    create.lifecycle.conmon_pidfile = Some(path.to_str().unwrap().to_owned());
    let id = host.try_create(&create).unwrap();
    assert!(!path.exists());
    host.engine().start_container(&id).unwrap();
    let pid = host.engine().container(&id).unwrap().namespaces.pid;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent = stat.rsplit(')').next().unwrap().split(' ').nth(2).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), parent);
}

#[test]
fn without_a_place_for_its_pid_a_container_is_not_started() {
    let host = Host::new();
    let directory = host.path("gone");
    fs::create_dir(&directory).unwrap();
    let mut create = request(&["sleep", "1000"]);
    create.lifecycle.conmon_pidfile = Some(format!("{}/pid", directory.display()));
    let id = host.try_create(&create).unwrap();
    fs::remove_dir(&directory).unwrap();
    let error = host.engine().start_container(&id).unwrap_err();
    assert!(error.to_string().contains("gone/pid"), "{error}");
    assert_eq!(host.status(&id), "configured");
}
