//! A container is created, started, waited for, stopped, killed and removed; each step does what it says and leaves nothing behind.
#![expect(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod host;

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use host::{Host, NEVER, request};
use podman_reference::engine::{CreateRequest, EngineError};
use rstest::rstest;

const SIGKILL: i64 = 9;
const SIGTERM: i64 = 15;

fn refused(result: Result<String, EngineError>) -> String {
    match result.unwrap_err() {
        EngineError::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The number of processes in a container's pid namespace that its first process is in.
fn pid(host: &Host, id: &str) -> i32 {
    let container = host.engine().container(id).unwrap();
    container.namespaces.pid.parse().unwrap()
}

fn is_alive(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}/ns/pid")).exists()
        && std::fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

#[test]
fn it_runs_ends_and_tells_code_and_output_as_often_as_asked() {
    let host = Host::new();
    let id = host.create("echo out; echo err >&2; exit 7");
    assert_eq!(
        (host.status(&id).as_str(), host.log(&id).len()),
        ("configured", 0)
    );
    host.start(&id);
    assert_eq!((host.wait(&id), host.wait(&id)), (7, 7));
    assert_eq!(host.status(&id), "exited");
    let mut lines = host.log(&id);
    lines.sort();
    assert_eq!(lines, ["err", "out"]);
    host.assert_at_rest(&id);
}

#[test]
fn while_it_runs_it_is_told_with_its_first_process() {
    let host = Host::new();
    let id = host.create("sleep 1000");
    assert_eq!(host.engine().container(&id).unwrap().namespaces.pid, "");
    host.start(&id);
    let container = host.engine().container(&id).unwrap();
    assert!(container.running);
    assert_eq!(container.status, "running");
    let pid = pid(&host, &id);
    assert!(is_alive(pid));
    host.engine().kill_container(&id, Some(SIGKILL)).unwrap();
    assert!(!is_alive(pid));
    let container = host.engine().container(&id).unwrap();
    assert!(!container.running);
    assert_eq!(container.namespaces.pid, "");
}

#[test]
fn a_second_start_finds_the_files_of_the_first_and_goes_on_with_its_log() {
    let host = Host::new();
    let script = "test -e /mark && { echo second; exit 1; }; echo > /mark; echo first; exit 2";
    let id = host.create(script);
    host.start(&id);
    assert_eq!(host.wait(&id), 2);
    host.start(&id);
    assert_eq!(host.wait(&id), 1);
    assert_eq!(host.log(&id), ["first", "second"]);
    host.assert_at_rest(&id);
}

#[test]
fn a_wait_that_begins_before_the_start_ends_with_the_run() {
    let host = Host::new();
    let id = host.create("exit 4");
    std::thread::scope(|scope| {
        let wait = scope.spawn(|| host.engine().wait_container(&id, NEVER));
        std::thread::sleep(Duration::from_millis(100));
        assert!(!wait.is_finished());
        host.start(&id);
        assert_eq!(wait.join().unwrap().unwrap(), 4);
    });
}

#[test]
fn a_wait_for_what_is_removed_without_having_run_ends_as_well() {
    let host = Host::new();
    let id = host.create("exit 4");
    std::thread::scope(|scope| {
        let wait = scope.spawn(|| host.engine().wait_container(&id, NEVER));
        std::thread::sleep(Duration::from_millis(100));
        host.engine().remove_container(&id, false).unwrap();
        let error = wait.join().unwrap().unwrap_err();
        assert!(
            matches!(error, EngineError::ContainerNotFound { .. }),
            "{error:?}"
        );
    });
}

#[test]
fn a_stop_asks_first_and_lets_the_program_end_by_itself() {
    let host = Host::new();
    let script =
        "trap 'echo asked; exit 5' TERM; echo ready; while true; do sleep 1000 & wait; done";
    let id = host.create(script);
    host.start(&id);
    host.wait_for_lines(&id, 1);
    let begin = Instant::now();
    host.engine().stop_container(&id, Some(60), NEVER).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!((host.status(&id).as_str(), host.wait(&id)), ("exited", 5));
    assert_eq!(host.log(&id), ["ready", "asked"]);
    host.assert_at_rest(&id);
}

#[test]
fn a_stop_asks_with_the_containers_own_signal_and_waits_its_own_time() {
    let host = Host::new();
    let script =
        "trap 'echo asked' USR1; trap 'exit 5' TERM; echo ready; while true; do sleep 0.1; done";
    let wanted = CreateRequest {
        stop_signal: Some(10),
        stop_timeout: Some(1),
        ..request(&["sh", "-c", script])
    };
    let id = host.try_create(&wanted).unwrap();
    host.start(&id);
    host.wait_for_lines(&id, 1);
    host.engine().stop_container(&id, None, NEVER).unwrap();
    assert_eq!(host.wait(&id), 137);
    assert_eq!(host.log(&id), ["ready", "asked"]);
}

#[test]
fn a_stop_kills_what_does_not_end_in_time_and_not_earlier() {
    let host = Host::new();
    let id = host.create("trap '' TERM; echo ready; while true; do sleep 0.1; done");
    host.start(&id);
    host.wait_for_lines(&id, 1);
    let begin = Instant::now();
    host.engine().stop_container(&id, Some(1), NEVER).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(host.wait(&id), 137);
    host.assert_at_rest(&id);
}

#[test]
fn a_stop_without_time_kills_at_once() {
    let host = Host::new();
    let id = host.create("trap 'exit 5' TERM; echo ready; while true; do sleep 0.1; done");
    host.start(&id);
    host.wait_for_lines(&id, 1);
    host.engine().stop_container(&id, Some(0), NEVER).unwrap();
    assert_eq!(host.wait(&id), 137);
}

#[test]
fn a_stop_of_what_does_not_run_changes_nothing() {
    let host = Host::new();
    let created = host.create("exit 3");
    host.engine()
        .stop_container(&created, Some(1), NEVER)
        .unwrap();
    assert_eq!(host.status(&created), "configured");
    host.start(&created);
    assert_eq!(host.wait(&created), 3);
    host.engine()
        .stop_container(&created, Some(1), NEVER)
        .unwrap();
    assert_eq!(host.wait(&created), 3);
    let why = refused(host.engine().stop_container(&created, Some(-1), NEVER));
    assert!(why.contains("timeout"), "{why}");
}

#[test]
fn a_signal_reaches_the_program_and_an_absent_one_is_sigterm() {
    let host = Host::new();
    let script =
        "trap 'echo usr1' USR1; trap 'exit 5' TERM; echo ready; while true; do sleep 0.1; done";
    let id = host.create(script);
    host.start(&id);
    host.wait_for_lines(&id, 1);
    host.engine().kill_container(&id, Some(10)).unwrap();
    host.wait_for_lines(&id, 2);
    host.engine().kill_container(&id, None).unwrap();
    assert_eq!(host.wait(&id), 5);
}

#[test]
fn sigkill_is_answered_when_the_container_has_ended_with_all_its_processes() {
    let host = Host::new();
    let id = host.create("sleep 1000 & sleep 1000 & echo ready; wait");
    host.start(&id);
    host.wait_for_lines(&id, 1);
    host.engine().kill_container(&id, Some(SIGKILL)).unwrap();
    assert_eq!(host.status(&id), "exited");
    host.assert_at_rest(&id);
    assert_eq!(host.wait(&id), 137);
}

#[rstest]
#[case::term(Some(SIGTERM))]
#[case::kill(Some(SIGKILL))]
#[case::default(None)]
fn what_does_not_run_cannot_be_killed(#[case] signal: Option<i64>) {
    let host = Host::new();
    let id = host.create("exit 3");
    let why = refused(host.engine().kill_container(&id, signal));
    assert!(why.contains("not running"), "{why}");
    assert_eq!(host.status(&id), "configured");
    host.start(&id);
    assert_eq!(host.wait(&id), 3);
    refused(host.engine().kill_container(&id, signal));
    assert_eq!(host.wait(&id), 3);
}

#[rstest]
#[case(0)]
#[case(65)]
#[case(-9)]
#[case(i64::MAX)]
fn a_number_that_is_no_signal_is_named_and_not_sent(#[case] number: i64) {
    let host = Host::new();
    let id = host.create("sleep 1000");
    host.start(&id);
    let why = refused(host.engine().kill_container(&id, Some(number)));
    assert!(why.contains(&number.to_string()), "{why}");
    assert_eq!(host.status(&id), "running");
}

#[test]
fn a_running_one_is_removed_by_force_alone() {
    let host = Host::new();
    let id = host.create("trap '' TERM; echo > /mark; sleep 1000");
    host.start(&id);
    let pid = pid(&host, &id);
    let why = refused(host.engine().remove_container(&id, false));
    assert!(why.contains("running"), "{why}");
    assert_eq!(host.status(&id), "running");
    host.engine().remove_container(&id, true).unwrap();
    assert!(!is_alive(pid));
    host.assert_gone(&id);
}

#[rstest]
#[case::created(false, false)]
#[case::created_by_force(false, true)]
#[case::exited(true, false)]
#[case::exited_by_force(true, true)]
fn a_removed_one_is_gone_and_its_name_free(#[case] run: bool, #[case] force: bool) {
    let host = Host::new();
    let wanted = CreateRequest {
        name: Some("it".into()),
        ..request(&["sh", "-c", "echo > /mark"])
    };
    let id = host.try_create(&wanted).unwrap();
    if run {
        host.start(&id);
        host.wait(&id);
    }
    assert_eq!(host.engine().remove_container("it", force).unwrap(), id);
    let error = host.engine().container("it").unwrap_err();
    assert!(matches!(error, EngineError::ContainerNotFound { .. }));
    host.assert_gone(&id);
    assert_ne!(host.try_create(&wanted).unwrap(), id);
}

#[test]
fn a_start_of_what_runs_is_refused_and_disturbs_nothing() {
    let host = Host::new();
    let id = host.create("echo once; sleep 1000");
    host.start(&id);
    host.wait_for_lines(&id, 1);
    let before = pid(&host, &id);
    let why = refused(host.engine().start_container(&id));
    assert!(why.contains("running"), "{why}");
    assert_eq!(
        (pid(&host, &id), host.log(&id)),
        (before, vec!["once".to_owned()])
    );
}

/// Found to be impossible before there is a process, and by the process itself.
const MISSING: &str = "rm /bin/sh; exit 3";
const NO_PROGRAM: &str = "rm /bin/sh; echo text > /bin/sh; /bin/busybox chmod 755 /bin/sh; exit 3";

#[test]
fn a_start_that_fails_names_the_cause_and_leaves_the_container_as_it_was() {
    let mut host = Host::new();
    // A program that cannot be found, and one that proves to be none when it is executed.
    let missing = host.try_create(&request(&["/no/such"])).unwrap();
    let no_program = host.try_create(&request(&["/etc/tool"])).unwrap();
    let tool = host.root().join("containers").join(&no_program);
    let tool = tool.join("upper/etc/tool");
    std::fs::create_dir(tool.parent().unwrap()).unwrap();
    std::fs::write(&tool, "text").unwrap();
    std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
    for (id, names) in [(&missing, "/no/such"), (&no_program, "/etc/tool")] {
        for _ in 0..2 {
            let why = refused(host.engine().start_container(id));
            assert!(why.contains(names), "{why}");
            assert_eq!(host.status(id), "configured");
            host.assert_at_rest(id);
        }
        host.reopen();
        assert_eq!(host.status(id), "configured");
        host.engine().remove_container(id, false).unwrap();
        host.assert_gone(id);
    }
}

#[rstest]
#[case(MISSING)]
#[case(NO_PROGRAM)]
fn a_failed_start_keeps_the_exit_code_of_the_run_before(#[case] script: &str) {
    let mut host = Host::new();
    let id = host.create(script);
    host.start(&id);
    assert_eq!(host.wait(&id), 3);
    refused(host.engine().start_container(&id));
    assert_eq!((host.status(&id).as_str(), host.wait(&id)), ("exited", 3));
    host.reopen();
    assert_eq!((host.status(&id).as_str(), host.wait(&id)), ("exited", 3));
}
