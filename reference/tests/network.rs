//! What containers send and receive, and whose name servers they have, where a client of the suite cannot know it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod host;

use std::{
    fs::{self, File},
    net::UdpSocket,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use host::{Host, request};
use nix::sched::{CloneFlags, setns};
use podman_reference::engine::request::NetworkRequest;

const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent at once, without headers.
const SENT: i64 = 100 * 1000;

/// A container that waits in a network.
fn waiting(host: &Host, net_mode: &str) -> String {
    let mut request = request(&["sleep", "1000"]);
    request.network.net_mode = Some(net_mode.to_owned());
    let id = host.try_create(&request).unwrap();
    host.start(&id);
    id
}

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
    let [one, other] = ["none", "none"].map(|mode| waiting(&host, mode));
    let joined = waiting(&host, &format!("container:{other}"));
    assert_eq!(traffic(&host, &one), (0, 0));
    connect(&pid(&host, &one), &pid(&host, &other));
    let end = Instant::now() + PATIENCE;
    while traffic(&host, &other).0 < SENT {
        assert!(Instant::now() < end, "{:?}", traffic(&host, &other));
        // A busy kernel drops some of it.
        send(&pid(&host, &one));
        thread::sleep(Duration::from_millis(10));
    }
    let (received, sent) = traffic(&host, &one);
    let (_, answered) = traffic(&host, &other);
    assert!(sent >= SENT, "{sent}");
    assert!(received < SENT / 2, "{received}");
    assert!(answered < SENT / 2, "{answered}");
    assert!(
        traffic(&host, &joined).0 >= SENT,
        "it is in the other's network"
    );
}

/// Received and sent by the host's devices, without the loopback.
fn traffic_of_the_host() -> (i64, i64) {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    let lines = devices.lines().filter_map(|line| line.split_once(':'));
    let devices = lines.filter(|(name, _)| name.trim() != "lo");
    let figures = devices.map(|(_, line)| {
        let figures: Vec<i64> = line
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        (figures[0], figures[8])
    });
    figures.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

#[test]
fn in_the_hosts_network_they_are_the_hosts() {
    let host = Host::new();
    let id = waiting(&host, "host");
    let before = traffic_of_the_host();
    let now = traffic(&host, &id);
    let after = traffic_of_the_host();
    let told = [before, now, after];
    assert!(told.is_sorted_by_key(|(received, _)| *received), "{told:?}");
    assert!(told.is_sorted_by_key(|(_, sent)| *sent), "{told:?}");
}

/// A container's resolv.conf.
fn resolver(host: &Host, network: NetworkRequest) -> Vec<String> {
    let mut request = request(&["cat", "/etc/resolv.conf"]);
    request.network = NetworkRequest {
        net_mode: Some("none".into()),
        ..network
    };
    let id = host.try_create(&request).unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    host.log(&id)
}

#[test]
fn name_servers_are_the_hosts_where_no_others_are_asked_for() {
    let host = Host::new();
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let of_host: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(resolver(&host, NetworkRequest::default()), of_host);
    let searching = NetworkRequest {
        dns_search: vec!["one.example".into()],
        ..NetworkRequest::default()
    };
    let told = resolver(&host, searching);
    let is_server = |line: &&String| line.starts_with("nameserver");
    assert!(
        told.iter()
            .filter(is_server)
            .eq(of_host.iter().filter(is_server))
    );
    assert!(told.contains(&"search one.example".to_owned()), "{told:?}");
}
