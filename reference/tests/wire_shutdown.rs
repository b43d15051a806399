//! SIGTERM and SIGINT end the daemon in good order.

mod support;

use nix::sys::signal::Signal;
use rstest::rstest;
use std::time::{Duration, Instant};
use support::Daemon;

#[rstest]
#[case::terminate(Signal::SIGTERM)]
#[case::interrupt(Signal::SIGINT)]
fn it_ends_with_status_0_and_removes_its_socket(#[case] signal: Signal) {
    let mut daemon = Daemon::start();
    let mut clients: Vec<_> = (0..50).map(|_| daemon.connect()).collect();
    clients.iter_mut().for_each(support::Client::ping);
    let start = Instant::now();
    daemon.signal(signal);
    assert_eq!(daemon.end(), Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "idle clients held it up"
    );
    assert!(clients.iter_mut().all(support::Client::is_closed));
    let left: Vec<_> = std::fs::read_dir(daemon.socket().parent().unwrap())
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_socket_that_another_daemon_made_is_not_removed() {
    let mut daemon = Daemon::start();
    std::fs::remove_file(daemon.socket()).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(daemon.socket()).unwrap();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.end(), Some(0));
    assert!(daemon.socket().exists());
}

#[test]
fn a_hang_up_of_the_terminal_changes_nothing() {
    let daemon = Daemon::start();
    daemon.signal(Signal::SIGHUP);
    daemon.connect().ping();
}
