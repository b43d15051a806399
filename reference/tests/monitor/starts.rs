//! A start says clearly why it fails, and leaves nothing behind.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use podman_reference::monitor::RunState;
use rstest::rstest;

use crate::fixture::Fixture;

fn failure(fixture: &Fixture) -> String {
    let error = fixture.start().unwrap_err();
    fixture.assert_nothing_left();
    assert_eq!(fixture.dir.state().unwrap(), RunState::NeverStarted);
    error.to_string()
}

#[rstest]
#[case::absolute("/no/such", r#"executable "/no/such" not found"#)]
#[case::searched("no-such", r#"executable "no-such" not found in PATH (/bin)"#)]
#[case::directory("/tmp", r#"executable "/tmp" is a directory"#)]
#[case::empty("", "the command is empty")]
fn a_missing_executable_is_named(#[case] program: &str, #[case] reason: &str) {
    assert_eq!(failure(&Fixture::command(&[program])), reason);
}

#[rstest]
#[case::not_executable("text", 0o644, r#"executable "/file": permission denied"#)]
#[case::no_program(
    "text",
    0o755,
    r#"executable "/file" has no format that this machine can run"#
)]
fn a_file_that_cannot_be_executed_is_named(
    #[case] content: &str,
    #[case] mode: u32,
    #[case] reason: &str,
) {
    let fixture = Fixture::command(&["/file"]);
    let path = fixture.setup.rootfs.join("file");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(failure(&fixture), reason);
}

#[test]
fn a_missing_root_file_system_is_named() {
    let mut fixture = Fixture::command(&["/bin/true"]);
    fixture.setup.rootfs.push("gone");
    let reason = failure(&fixture);
    assert!(reason.contains("No such file"), "{reason}");
}

#[test]
fn a_directory_that_cannot_hold_proc_is_named() {
    let fixture = Fixture::command(&["/bin/true"]);
    fs::remove_dir(fixture.setup.rootfs.join("proc")).unwrap();
    fs::write(fixture.setup.rootfs.join("proc"), "").unwrap();
    let reason = failure(&fixture);
    assert!(reason.contains("proc"), "{reason}");
}

#[test]
fn a_failed_start_does_not_hide_how_the_last_run_ended() {
    let mut fixture = Fixture::command(&["/bin/sh", "-c", "exit 3"]);
    assert_eq!(fixture.run(), 3);
    fixture.setup.argv = vec!["/no/such".into()];
    fixture.start().unwrap_err();
    assert_eq!(fixture.wait().code, 3);
}

#[test]
fn sixteen_at_once_all_start_and_end() {
    let fixtures: Vec<_> = (0..16)
        .map(|n| Fixture::shell(&format!("exit {n}")))
        .collect();
    let codes: Vec<i32> = thread::scope(|scope| {
        let runs: Vec<_> = fixtures.iter().map(|f| scope.spawn(|| f.run())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes, (0..16).collect::<Vec<_>>());
    fixtures.iter().for_each(Fixture::assert_nothing_left);
}

#[test]
fn a_monitor_has_the_container_for_its_only_child() {
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    let init = fixture.start().unwrap();
    assert_eq!(
        children_of(init.monitor.pid.get()),
        [init.process.pid.get()]
    );
}

/// The processes, the dead among them, whose parent is this one.
fn children_of(parent: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    })
    .collect()
}
