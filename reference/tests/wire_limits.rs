//! The limits of SPEC.md, each hit.

mod support;

use std::{
    io::Write,
    time::{Duration, Instant},
};

use podman_reference::{
    api::{CONNECTIONS, MESSAGE_BYTES, MESSAGE_TIME, PARAMETER_VALUES},
    sys::limits::raise_open_files,
};
use support::{Client, Daemon, PING, invalid, pong};

/// A Ping of a given length.
fn padded(length: usize) -> String {
    format!("{PING}{}", " ".repeat(length - PING.len()))
}

#[test]
fn the_longest_message_is_answered() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    for length in [MESSAGE_BYTES - 1, MESSAGE_BYTES] {
        assert_eq!(client.ask(&padded(length)), pong());
    }
}

#[test]
fn a_longer_message_is_refused_and_the_connection_closed() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    let message = padded(MESSAGE_BYTES + 1);
    // The daemon may stop reading before the end.
    let _ = client
        .stream()
        .write_all(&[message.as_bytes(), b"\0"].concat());
    assert_eq!(client.receive(), Some(invalid("message")));
    assert!(client.is_closed());
    daemon.connect().ping();
}

#[test]
fn a_message_without_an_end_takes_no_more_memory_than_the_longest() {
    let daemon = Daemon::start();
    daemon.connect().ping();
    let before = daemon.status("VmRSS");
    let mut client = daemon.connect();
    let piece = vec![b'x'; 1 << 20];
    let sent = (0..1024)
        .take_while(|_| client.stream().write_all(&piece).is_ok())
        .count();
    assert!(sent < 64, "{sent} MiB were taken");
    assert_eq!(client.receive(), Some(invalid("message")));
    let kib = u64::try_from(MESSAGE_BYTES / 1024).unwrap();
    let (peak, after) = (daemon.status("VmHWM"), daemon.status("VmRSS"));
    assert!(peak < before + 2 * kib, "peak {peak} KiB, before {before}");
    assert!(after < before + kib, "after {after} KiB, before {before}");
}

#[test]
fn one_value_too_many_is_refused_by_name() {
    let daemon = Daemon::start();
    let before = daemon.status("VmHWM");
    let mut client = daemon.connect();
    let list = format!(r#"[{}""]"#, r#""","#.repeat(20 * PARAMETER_VALUES));
    let call = format!(
        r#"{{"method":"io.projectatomic.podman.ImportImage","parameters":{{"changes":{list}}}}}"#
    );
    assert_eq!(client.ask(&call), invalid("changes"));
    client.ping();
    let grown = daemon.status("VmHWM") - before;
    assert!(grown < 16 * 1024, "{grown} KiB");
}

#[test]
fn one_connection_too_many_is_closed_and_a_place_that_is_given_back_is_free() {
    raise_open_files().unwrap();
    let daemon = Daemon::start();
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| daemon.connect()).collect();
    clients.iter_mut().for_each(Client::ping);
    assert!(daemon.connect().is_closed());
    clients.iter_mut().for_each(Client::ping);
    clients.pop();
    let end = Instant::now() + Duration::from_secs(5);
    while daemon.connect().is_closed_at_once() {
        assert!(Instant::now() < end, "the place is not given back");
    }
}

#[test]
fn clients_that_stop_halfway_are_cut_off_and_hold_up_nobody() {
    let daemon = Daemon::start();
    let mut idle = daemon.connect();
    idle.ping();
    let start = Instant::now();
    let mut stalled: Vec<Client> = (0..200).map(|_| daemon.connect()).collect();
    for client in &mut stalled {
        client.send_raw(&PING.as_bytes()[..20]);
    }
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let start = Instant::now();
            daemon.connect().ping();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[197] < Duration::from_millis(50), "{:?}", times[197]);
    assert!(stalled.iter_mut().all(Client::is_closed));
    assert!(start.elapsed() >= MESSAGE_TIME);
    idle.ping();
}

trait Refused {
    /// Whether the daemon closes instead of answering.
    fn is_closed_at_once(&mut self) -> bool;
}

impl Refused for Client {
    fn is_closed_at_once(&mut self) -> bool {
        let _ = self.stream().write_all(&[PING.as_bytes(), b"\0"].concat());
        self.receive().is_none()
    }
}
