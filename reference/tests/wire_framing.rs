//! The NUL alone ends a message.

mod support;

use std::{thread, time::Duration};

use support::{Daemon, PING, pong};

#[test]
fn a_call_in_single_bytes_is_answered() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    for byte in [PING.as_bytes(), b"\0"].concat() {
        client.send_raw(&[byte]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.receive(), Some(pong()));
}

#[test]
fn a_call_split_around_its_nul_is_answered() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send_raw(PING.as_bytes());
    thread::sleep(Duration::from_millis(20));
    client.send_raw(&[b"\0", PING.as_bytes()].concat());
    assert_eq!(client.receive(), Some(pong()));
    client.send_raw(b"\0");
    assert_eq!(client.receive(), Some(pong()));
}

#[test]
fn a_client_that_ends_its_sending_side_still_gets_its_answers() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send(PING);
    client.send(PING);
    client.half_close();
    assert_eq!(
        (client.receive(), client.receive()),
        (Some(pong()), Some(pong()))
    );
    assert!(client.is_closed());
}

#[test]
fn bytes_without_their_nul_are_dropped_at_the_end() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send_raw(PING.as_bytes());
    client.half_close();
    assert!(client.is_closed());
}

#[test]
fn a_mebibyte_is_answered_like_a_short_call() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send(&PING.replace(
        '}',
        &format!(r#","org.example.padding":"{}"}}"#, "x".repeat(1 << 20)),
    ));
    assert_eq!(client.receive(), Some(pong()));
    client.ping();
}
