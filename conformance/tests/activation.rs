//! A service can be started for the run, and is ended with it.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use std::os::fd::RawFd;

use nix::{
    sys::socket::{SockFlag, accept4},
    unistd::read,
};
use predicates::str::contains;
use service::{conformance, info, write_scenario};

const GIVEN: RawFd = 3;

/// Not a test: the service that the others start. It ends when the socket it was given is gone.
#[test]
#[ignore = "is started by the tests of this file"]
fn serves_on_the_socket_that_it_was_given() {
    assert_eq!(std::env::var("LISTEN_FDS").unwrap(), "1");
    assert_eq!(
        std::env::var("LISTEN_PID").unwrap(),
        std::process::id().to_string()
    );
    while let Ok(connection) = accept4(GIVEN, SockFlag::SOCK_CLOEXEC) {
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while read(connection, &mut bytes).is_ok_and(|count| count > 0) {
                let answer = format!("{}\0", info(&["org.varlink.service"]));
                let flags = nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
                nix::sys::socket::send(connection, answer.as_bytes(), flags).unwrap();
            }
        });
    }
}

const INFO: &str =
    "$ varlink call org.varlink.service.GetInfo\n{ \"vendor\": \"Example\", \"...\": \"{{any}}\" }";

fn itself() -> String {
    let program = std::env::current_exe().unwrap();
    format!(
        "{} --ignored --exact serves_on_the_socket_that_it_was_given",
        program.display()
    )
}

#[test]
fn a_service_is_started_with_its_socket_and_ended_afterwards() {
    let suite = tempfile::tempdir().unwrap();
    write_scenario(suite.path(), "Test/info", "", INFO);
    let command = format!(
        "sh -c 'echo $$ > \"$0\"; exec {}' {}",
        itself(),
        suite.path().join("pid").display()
    );
    let mut run = conformance();
    run.args(["run", "--activate", &command, "--color", "never", "--suite"])
        .arg(suite.path());
    run.assert().code(0).stdout(contains("(Example Test 1)"));
    let pid = std::fs::read_to_string(suite.path().join("pid")).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
}

#[test]
fn a_service_that_ends_at_once_is_named_with_its_status() {
    let mut run = conformance();
    run.args(["run", "--activate", "sh -c 'exit 7'"])
        .assert()
        .code(3)
        .stderr(contains("exit status: 7"));
}

#[test]
fn a_command_that_is_not_there_ends_with_3() {
    let mut run = conformance();
    run.args(["run", "--activate", "/nonexistent/service"])
        .assert()
        .code(3);
}
