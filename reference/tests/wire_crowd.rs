//! A crowd costs little, and a shortage passes.

mod support;

use std::time::{Duration, Instant};

use podman_reference::sys::limits::raise_open_files;
use support::{Client, Daemon, PING, pong};

#[test]
fn a_thousand_idle_connections_leave_ping_quick_and_use_no_time() {
    raise_open_files().unwrap();
    let daemon = Daemon::start();
    let mut clients: Vec<Client> = (0..1000).map(|_| daemon.connect()).collect();
    clients.iter_mut().for_each(Client::ping);
    let mut one = daemon.connect();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let start = Instant::now();
            one.ping();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[100] < Duration::from_millis(5), "{:?}", times[100]);
    let before = daemon.ticks();
    std::thread::sleep(Duration::from_secs(1));
    assert!(daemon.ticks() - before <= 1);
}

#[test]
fn a_daemon_without_descriptors_serves_whom_it_has_and_recovers() {
    let daemon = Daemon::start_after("ulimit -n 64;");
    let mut clients: Vec<Client> = (0..100).map(|_| daemon.connect()).collect();
    clients[0].ping();
    let before = daemon.ticks();
    std::thread::sleep(Duration::from_secs(1));
    assert!(daemon.ticks() - before < 20, "it spins");
    clients[0].ping();
    // Those in the backlog are served as soon as others leave.
    let mut last = clients.pop().unwrap();
    last.send(PING);
    drop(clients);
    assert_eq!(last.receive(), Some(pong()));
}
