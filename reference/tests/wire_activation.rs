//! A service manager may pass the socket.
#![expect(clippy::unwrap_used)] // helpers of tests

mod support;

use std::{
    os::{fd::OwnedFd, unix::net::UnixListener},
    process::Command,
};

use nix::sys::signal::Signal;
use support::{Client, Daemon, arguments, binary};
use tempfile::TempDir;

/// Starts the daemon with a listening socket as descriptor 3 and these variables.
fn activate(folder: &TempDir, variables: &str) -> Command {
    let listener = UnixListener::bind(folder.path().join("passed")).unwrap();
    let script = format!(r#"exec 3<&0 </dev/null; {variables} exec "$0" "$@""#);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(script)
        .arg(binary())
        .args(arguments(folder.path()));
    shell.stdin(OwnedFd::from(listener));
    shell
}

#[test]
fn a_passed_socket_is_served_and_its_file_left() {
    let folder = TempDir::new().unwrap();
    let command = activate(&folder, "LISTEN_PID=$$ LISTEN_FDS=1");
    let mut daemon = Daemon::spawn(command, folder);
    let passed = daemon.folder.path().join("passed");
    Client::connect(&passed).ping();
    assert!(!daemon.socket().exists());
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.end(), Some(0));
    assert!(passed.exists());
}

#[test]
fn a_passed_socket_does_not_reach_children() {
    let folder = TempDir::new().unwrap();
    let daemon = Daemon::spawn(activate(&folder, "LISTEN_PID=$$ LISTEN_FDS=1"), folder);
    let flags = std::fs::read_to_string(format!("/proc/{}/fdinfo/3", daemon.child.id())).unwrap();
    let flags = flags
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .unwrap();
    assert_ne!(
        i64::from_str_radix(flags.trim(), 8).unwrap() & i64::from(nix::libc::O_CLOEXEC),
        0
    );
}

#[test]
fn a_socket_for_another_process_is_not_taken() {
    let folder = TempDir::new().unwrap();
    let daemon = Daemon::spawn(activate(&folder, "LISTEN_PID=1 LISTEN_FDS=1"), folder);
    daemon.connect().ping();
}

#[test]
fn several_sockets_without_the_name_are_refused() {
    let folder = TempDir::new().unwrap();
    let output = activate(&folder, "LISTEN_PID=$$ LISTEN_FDS=2")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("none of 2 sockets is named varlink"),
        "{said}"
    );
}
