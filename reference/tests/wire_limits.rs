//! The limits of SPEC.md, each hit.

mod support;

use std::{
    io::Write,
    time::{Duration, Instant},
};

use podman_reference::{
    api::{CONNECTIONS, MESSAGE_BYTES, MESSAGE_TIME, PARAMETER_BYTES, PARAMETER_VALUES},
    sys::limits::raise_open_files,
};
use rstest::rstest;
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

/// Of 200 clients that come one after the other, how long all but two wait at most.
fn nearly_slowest_ping(daemon: &Daemon) -> Duration {
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let start = Instant::now();
            daemon.connect().ping();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.into_iter().rev().nth(2).unwrap_or_default()
}

#[test]
fn clients_that_stop_halfway_are_cut_off_and_hold_up_nobody() {
    let daemon = Daemon::start();
    let mut idle = daemon.connect();
    idle.ping();
    let alone = nearly_slowest_ping(&daemon);
    let start = Instant::now();
    let mut stalled: Vec<Client> = (0..200).map(|_| daemon.connect()).collect();
    for client in &mut stalled {
        client.send_raw(&PING.as_bytes()[..20]);
    }
    let slowest = nearly_slowest_ping(&daemon);
    // On a busy machine nobody is quick.
    let bound = Duration::from_millis(50).max(alone * 3);
    assert!(slowest < bound, "{slowest:?}, and {alone:?} before");
    assert!(stalled.iter_mut().all(Client::is_closed));
    assert!(start.elapsed() >= MESSAGE_TIME);
    idle.ping();
}

/// A text of half a message, or of a whole one.
fn long(length: usize) -> String {
    "x".repeat(length)
}

/// `MOST` stands for a text that nearly fills a message, `HALF` for one over half of what parameters may have.
#[rstest]
#[case::one("ImportImage", r#"{"source":"MOST"}"#, Some("source"))]
#[case::in_a_list("ImportImage", r#"{"changes":["MOST"]}"#, Some("changes"))]
#[case::many_together("ImportImage", r#"{"changes":[SEVERAL]}"#, Some("changes"))]
#[case::two_together(
    "ImportImage",
    r#"{"source":"HALF","reference":"HALF"}"#,
    Some("reference")
)]
#[case::value(
    "CreateContainer",
    r#"{"create":{"env":{"A":"MOST"}}}"#,
    Some("create")
)]
#[case::key(
    "CreateContainer",
    r#"{"create":{"env":{"MOST":"A"}}}"#,
    Some("create")
)]
#[case::escaped("GetContainer", r#"{"name":"\nMOST"}"#, Some("name"))]
#[case::not_defined("Ping", r#"{"other":"MOST"}"#, None)]
#[case::name_not_defined("Ping", r#"{"MOST":1}"#, None)]
fn no_parameter_takes_more_memory_than_its_message(
    #[case] method: &str,
    #[case] parameters: &str,
    #[case] refused: Option<&str>,
) {
    let several = vec![format!("\"{}\"", long(16_000)); 1000].join(",");
    let parameters = parameters
        .replace("MOST", &long(MESSAGE_BYTES - 200))
        .replace("HALF", &long(PARAMETER_BYTES / 2 + 1))
        .replace("SEVERAL", &several);
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.ping();
    let before = daemon.status("VmHWM");
    let call =
        format!(r#"{{"method":"io.projectatomic.podman.{method}","parameters":{parameters}}}"#);
    assert_eq!(client.ask(&call), refused.map_or_else(pong, invalid));
    client.ping();
    let grown = (daemon.status("VmHWM") - before) * 1024;
    let limit = u64::try_from(MESSAGE_BYTES).unwrap();
    assert!(grown < 2 * limit, "{grown} bytes");
}

#[test]
fn the_longest_parameter_is_taken() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.ping();
    let before = daemon.status("VmHWM");
    // The quotes count, too.
    let name = long(PARAMETER_BYTES - 2);
    let call = |name: &str| {
        format!(
            r#"{{"method":"io.projectatomic.podman.GetContainer","parameters":{{"name":"{name}"}}}}"#
        )
    };
    let error = "io.projectatomic.podman.ContainerNotFound";
    let answer = serde_json::json!({ "error": error, "parameters": { "name": name } });
    assert_eq!(client.ask(&call(&name)), answer);
    assert_eq!(client.ask(&call(&format!("{name}x"))), invalid("name"));
    let grown = daemon.status("VmHWM") - before;
    assert!(grown < 16 * 1024, "{grown} KiB");
}

#[test]
fn a_name_of_a_method_has_a_limit_too() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.ping();
    let before = daemon.status("VmHWM");
    let call = format!(r#"{{"method":"a.{}"}}"#, long(MESSAGE_BYTES - 100));
    assert_eq!(client.ask(&call), invalid("method"));
    client.ping();
    let grown = (daemon.status("VmHWM") - before) * 1024;
    assert!(
        grown < 2 * u64::try_from(MESSAGE_BYTES).unwrap(),
        "{grown} bytes"
    );
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
