//! A call that waits holds nobody up, costs nothing, and ends with its caller.
#![expect(clippy::unwrap_used)] // helpers of tests

mod served;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use podman_reference::sys::limits::raise_open_files;
use serde_json::{Value, json};
use served::{Host, support::Client, try_call, until};

/// Does not end when asked to.
const STUBBORN: &str = "trap 'echo asked' TERM; echo ready; while true; do sleep 0.1; done";

fn message(method: &str, parameters: &Value) -> String {
    let method = format!("io.projectatomic.podman.{method}");
    json!({ "method": method, "parameters": parameters }).to_string()
}

/// Sends a call that waits.
fn begin(host: &Host, method: &str, parameters: &Value) -> Client {
    let mut client = host.client();
    client.send(&message(method, parameters));
    client
}

/// How soon a call is answered that nobody holds up. Of several tries the quickest counts: the machine may be busy.
const SOON: Duration = Duration::from_millis(100);
const TRIES: usize = 5;

fn assert_others_are_answered(host: &Host, id: &str) {
    let mut other = host.client();
    other.ping();
    let name = json!({ "name": id });
    for (method, parameters) in [
        ("Ping", &json!({})),
        ("GetContainer", &name),
        ("GetContainerLogs", &name),
        ("ListContainers", &json!({})),
        ("GetInfo", &json!({})),
    ] {
        let mut times = [(); TRIES].map(|()| {
            let begun = Instant::now();
            try_call(&mut other, method, parameters).unwrap();
            begun.elapsed()
        });
        times.sort_unstable();
        assert!(times[0] < SOON, "{method}: {times:?}");
    }
}

#[test]
fn a_wait_holds_no_other_call_up() {
    let host = Host::new();
    let id = host.run("exec sleep 1000");
    let mut wait = begin(&host, "WaitContainer", &json!({ "name": id }));
    let mut follow = host.client();
    follow.send(
        &json!({ "method": "io.projectatomic.podman.GetContainerLogs",
            "parameters": { "name": id }, "more": true })
        .to_string(),
    );
    assert_others_are_answered(&host, &id);
    host.call("KillContainer", &json!({ "name": id, "signal": 9 }));
    assert_eq!(wait.receive().unwrap()["parameters"]["exitcode"], 137);
    assert!(follow.receive().unwrap()["error"].is_null());
}

#[test]
fn a_stop_that_waits_holds_no_other_call_up_and_ends_when_another_kills() {
    let host = Host::new();
    let id = host.run(STUBBORN);
    until("its first line", || host.log(&id).len() == 1);
    let begun = Instant::now();
    let timeout = json!({ "name": id, "timeout": 600 });
    let mut stop = begin(&host, "StopContainer", &timeout);
    until("the stop to ask", || host.log(&id).len() == 2);
    assert_others_are_answered(&host, &id);
    assert_eq!(host.status(&id), "running");
    host.call("KillContainer", &json!({ "name": id, "signal": 9 }));
    assert_eq!(stop.receive().unwrap()["parameters"]["container"], *id);
    assert!(begun.elapsed() < Duration::from_secs(300));
    assert_eq!(host.wait(&id), 137);
}

#[test]
fn two_stops_end_together() {
    let host = Host::new();
    let id = host.run(STUBBORN);
    until("its first line", || host.log(&id).len() == 1);
    let mut patient = begin(
        &host,
        "StopContainer",
        &json!({ "name": id, "timeout": 600 }),
    );
    until("the stop to ask", || host.log(&id).len() == 2);
    host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
    assert_eq!(patient.receive().unwrap()["parameters"]["container"], *id);
}

/// Processor time that daemons use in ten seconds, the same ten for all, in ticks of 10 ms.
fn ticks_in_ten_seconds<const N: usize>(hosts: [&Host; N]) -> [u64; N] {
    let before = hosts.map(|host| host.daemon().ticks());
    sleep(Duration::from_secs(10));
    let used = hosts.iter().zip(before);
    let used: Vec<_> = used
        .map(|(host, before)| host.daemon().ticks() - before)
        .collect();
    used.try_into().unwrap()
}

/// Processor time that the daemon uses in two seconds, in ticks of 10 ms.
fn ticks_in_two_seconds(host: &Host) -> u64 {
    let before = host.daemon().ticks();
    sleep(Duration::from_secs(2));
    host.daemon().ticks() - before
}

#[test]
fn a_thousand_waits_use_no_time_and_are_all_answered() {
    raise_open_files().unwrap();
    let (host, single, idle) = (Host::new(), Host::new(), Host::new());
    let waited_for = single.run("exec sleep 1000");
    let mut one = begin(&single, "WaitContainer", &json!({ "name": waited_for }));
    let id = host.run("exec sleep 1000");
    let others: Vec<_> = (0..4).map(|_| host.run("exec sleep 1000")).collect();
    let mut waits: Vec<Client> = (0..1000)
        .map(|_| begin(&host, "WaitContainer", &json!({ "name": id })))
        .collect();
    // All are under way once as many threads are there.
    until("a thread for each", || {
        host.daemon().status("Threads:") >= 1000
    });
    sleep(Duration::from_millis(500));
    let used = ticks_in_ten_seconds([&host, &single, &idle]);
    // No more than one that waits for nothing, but for what the clock cannot tell.
    let [thousand, one_wait, none] = used;
    assert!(thousand.max(one_wait) <= none + 2, "{used:?} ticks");
    host.client().ping();
    single.call("KillContainer", &json!({ "name": waited_for, "signal": 9 }));
    assert_eq!(one.receive().unwrap()["parameters"]["exitcode"], 137);
    host.call("KillContainer", &json!({ "name": id, "signal": 9 }));
    for wait in &mut waits {
        assert_eq!(wait.receive().unwrap()["parameters"]["exitcode"], 137);
    }
    assert!(others.iter().all(|id| host.status(id) == "running"));
}

/// Threads and open descriptors of the daemon.
fn holds(host: &Host) -> (u64, usize) {
    let descriptors = format!("/proc/{}/fd", host.daemon().child.id());
    let count = std::fs::read_dir(descriptors).unwrap().count();
    (host.daemon().status("Threads:"), count)
}

/// The same, once the connections of earlier calls are gone.
fn holds_at_rest(host: &Host) -> (u64, usize) {
    let mut last = holds(host);
    until("threads and descriptors at rest", || {
        sleep(Duration::from_millis(300));
        std::mem::replace(&mut last, holds(host)) == holds(host)
    });
    last
}

fn assert_back_to(host: &Host, before: (u64, usize)) {
    until("threads and descriptors as before", || {
        let now = holds(host);
        now.0 <= before.0 && now.1 <= before.1
    });
}

#[test]
fn a_follower_that_hangs_up_leaves_nothing_in_the_daemon() {
    let host = Host::new();
    let talks = host.run("while true; do echo line; sleep 0.01; done");
    let silent = host.run("exec sleep 1000");
    let never_started = host.create("true");
    let names = [talks, silent, never_started];
    let follow = |name: &String| {
        let mut client = host.client();
        client.send(
            &json!({ "method": "io.projectatomic.podman.GetContainerLogs",
                "parameters": { "name": name }, "more": true })
            .to_string(),
        );
        client
    };
    // Once, so that what is made at first use counts as there before.
    drop(names.each_ref().map(follow));
    let before = holds_at_rest(&host);
    // More than 500 of them.
    for round in 0..170 {
        let mut clients = names.each_ref().map(follow);
        if round % 3 == 0 {
            clients[0].receive().unwrap();
        }
    }
    let begun = Instant::now();
    assert_back_to(&host, before);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let used = ticks_in_two_seconds(&host);
    assert!(used <= 2, "{used} ticks");
    host.client().ping();
}

#[test]
fn a_waiter_that_hangs_up_leaves_nothing_in_the_daemon() {
    let host = Host::new();
    let id = host.run("exec sleep 1000");
    let before = holds_at_rest(&host);
    let waits: Vec<Client> = (0..200)
        .map(|_| begin(&host, "WaitContainer", &json!({ "name": id })))
        .collect();
    until("a thread for each", || holds(&host).0 >= before.0 + 200);
    drop(waits);
    assert_back_to(&host, before);
    assert_eq!(host.status(&id), "running");
}

#[test]
fn a_stop_whose_caller_hangs_up_is_carried_through() {
    let host = Host::new();
    let id = host.run(STUBBORN);
    until("its first line", || host.log(&id).len() == 1);
    let stop = begin(&host, "StopContainer", &json!({ "name": id, "timeout": 1 }));
    until("the stop to ask", || host.log(&id).len() == 2);
    drop(stop);
    assert_eq!(host.wait(&id), 137);
}

/// Restarts a container while the daemon is asked to end; returns the answer. The next daemon serves then.
fn restart_at_the_daemons_end(host: &mut Host, id: &str) -> Value {
    until("its first line", || host.log(id).len() == 1);
    let timeout = json!({ "name": id, "timeout": 600 });
    let mut restart = begin(host, "RestartContainer", &timeout);
    until("the restart to ask", || host.log(id).len() == 2);
    host.daemon().signal(Signal::SIGTERM);
    let answer = restart.receive().unwrap();
    assert_eq!(host.daemon.take().unwrap().end(), Some(0));
    host.start();
    answer
}

#[test]
fn a_restart_is_carried_through_at_the_daemons_end_if_the_container_stops_soon() {
    let mut host = Host::new();
    let id = host
        .run("trap 'echo asked; sleep 1; exit 3' TERM; echo ready; while true; do sleep 0.1; done");
    let pid = host.pid(&id);
    let answer = restart_at_the_daemons_end(&mut host, &id);
    assert_eq!(answer["parameters"]["container"], *id, "{answer}");
    assert_eq!(host.status(&id), "running");
    assert_ne!(host.pid(&id), pid);
}

#[test]
fn a_restart_is_given_up_at_the_daemons_end_if_the_container_does_not_stop() {
    let mut host = Host::new();
    let id = host.run(STUBBORN);
    let pid = host.pid(&id);
    let answer = restart_at_the_daemons_end(&mut host, &id);
    assert_eq!(answer["error"], "io.projectatomic.podman.ErrorOccurred");
    assert_eq!((host.status(&id).as_str(), host.pid(&id)), ("running", pid));
}
