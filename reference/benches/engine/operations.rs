//! Calls on a container that runs, each beside what does the same without an engine.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    client::Client,
    daemon::Daemon,
    table::{Table, percentile},
};

const ROUNDS: usize = 30;
/// Until the probe is ready for signals.
const READY: Duration = Duration::from_millis(50);

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let (mut stop, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        stop.push(stop_cooperative(daemon, &mut client));
        floor.push(end_a_process());
    }
    table.time(
        "stop of a cooperative process, p50",
        percentile(&mut stop, 0.5),
        Some(("kill and wait, no container", percentile(&mut floor, 0.5))),
        "<= 20 ms",
    );
    let id = daemon.create(&mut client, &["sleep"]);
    let name = json!({ "name": id });
    client.call("StartContainer", &name);
    let pause = p50(|| {
        client.call("PauseContainer", &name);
        client.call("UnpauseContainer", &name);
    });
    table.time("pause + unpause, p50", pause, None, "<= 3 ms");
    let stats = p50(|| drop(client.call("GetContainerStats", &name)));
    let floor = p50(|| drop(fs::read_to_string("/proc/self/stat")));
    table.time(
        "GetContainerStats, p50",
        stats,
        Some(("one file of /proc", floor)),
        "<= 2 ms",
    );
}

fn p50(mut act: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            act();
            began.elapsed()
        })
        .collect();
    percentile(&mut times, 0.5)
}

fn stop_cooperative(daemon: &Daemon, client: &mut Client) -> Duration {
    let id = daemon.create(client, &["trap", "TERM", "0"]);
    client.call("StartContainer", &json!({ "name": id }));
    thread::sleep(READY);
    let began = Instant::now();
    client.call("StopContainer", &json!({ "name": id, "timeout": 10 }));
    let time = began.elapsed();
    client.call("RemoveContainer", &json!({ "name": id }));
    time
}

fn end_a_process() -> Duration {
    let mut child = Command::new("sleep").arg("60").spawn().expect("sleep runs");
    thread::sleep(READY);
    let began = Instant::now();
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
    began.elapsed()
}
