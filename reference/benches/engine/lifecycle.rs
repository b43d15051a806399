//! A whole life of a container beside `runc run` of the same file system and program.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    daemon::Daemon,
    runc::Bundle,
    table::{Table, percentile},
};

const ROUNDS: usize = 50;
/// Each with its aim.
const STEPS: [(&str, &str); 4] = [
    ("create", "<= 8 ms"),
    ("start", "<= 3 ms"),
    ("wait", ""),
    ("remove", ""),
];

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let bundle = Bundle::of(daemon);
    let mut steps: [Vec<Duration>; 5] = Default::default();
    let mut floor = Vec::new();
    for round in 0..=ROUNDS {
        let begin = Instant::now();
        let id = daemon.create(&mut client, &["exit", "0"]);
        let mut marks = vec![begin.elapsed()];
        for (method, parameters) in [
            ("StartContainer", json!({ "name": id })),
            ("WaitContainer", json!({ "name": id })),
            ("RemoveContainer", json!({ "name": id, "force": false })),
        ] {
            let from = begin.elapsed();
            client.call(method, &parameters);
            marks.push(begin.elapsed() - from);
        }
        marks.push(begin.elapsed());
        let runc = bundle.run(&round.to_string());
        // The first round warms caches up on both sides.
        if round > 0 {
            steps
                .iter_mut()
                .zip(marks)
                .for_each(|(times, mark)| times.push(mark));
            floor.extend(runc);
        }
    }
    let floor = (!floor.is_empty()).then(|| ("runc run", percentile(&mut floor, 0.5)));
    for ((name, aim), times) in STEPS.iter().zip(&mut steps) {
        table.time(&format!("{name}, p50"), percentile(times, 0.5), None, aim);
    }
    table.time(
        "create+start+wait+remove, p50",
        percentile(&mut steps[4], 0.5),
        floor,
        "<= 0.5 x runc run",
    );
}
