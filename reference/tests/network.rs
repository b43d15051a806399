//! What containers send and receive, where a client of the suite cannot know it.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs::File,
    net::UdpSocket,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use host::Host;
use nix::sched::{CloneFlags, setns};

const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent, without headers.
const SENT: i64 = 100 * 1000;

fn pid(host: &Host, id: &str) -> String {
    host.engine().container(id).unwrap().namespaces.pid
}

fn run(command: &str) {
    let done = Command::new("sh").args(["-ec", command]).status().unwrap();
    assert!(done.success(), "{command}");
}

/// Joins the networks of two containers by a pair of devices, which goes with the first of them.
fn connect(one: &str, other: &str) {
    run(&format!(
        "ip link add eth0 netns {one} type veth peer name eth0 netns {other}"
    ));
    for (pid, address) in [(one, "198.51.100.1"), (other, "198.51.100.2")] {
        run(&format!(
            "nsenter --net=/proc/{pid}/ns/net sh -ec 'ip addr add {address}/30 dev eth0; ip link set eth0 up'"
        ));
    }
}

/// Sends from the network of one container to the other's address. Nobody listens there, which its kernel says seldom.
fn send(from: &str) {
    let network = File::open(format!("/proc/{from}/ns/net")).unwrap();
    let sender = thread::spawn(move || {
        setns(network, CloneFlags::CLONE_NEWNET).unwrap();
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        for _ in 0..100 {
            socket.send_to(&[0; 1000], "198.51.100.2:9").unwrap();
        }
    });
    sender.join().unwrap();
}

/// Received and sent.
fn traffic(host: &Host, id: &str) -> (i64, i64) {
    let stats = host.engine().container_stats(id).unwrap();
    (stats.received, stats.sent)
}

#[test]
fn input_is_what_a_container_received_and_output_what_it_sent() {
    let host = Host::new();
    let ids = [(); 2].map(|()| host.create("exec sleep 1000"));
    for id in &ids {
        host.start(id);
    }
    assert_eq!(traffic(&host, &ids[0]), (0, 0));
    let [one, other] = ids.each_ref().map(|id| pid(&host, id));
    connect(&one, &other);
    send(&one);
    let end = Instant::now() + PATIENCE;
    while traffic(&host, &ids[1]).0 < SENT {
        assert!(Instant::now() < end, "{:?}", traffic(&host, &ids[1]));
        thread::sleep(Duration::from_millis(10));
    }
    let ((received, sent), (_, answered)) = (traffic(&host, &ids[0]), traffic(&host, &ids[1]));
    assert!(sent >= SENT, "{sent}");
    assert!(received < SENT / 2 && answered < SENT / 2, "{received} {answered}");
}
