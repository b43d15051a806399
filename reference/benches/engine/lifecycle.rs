//! A whole life of a container beside `runc run` of the same file system and program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    daemon::Daemon,
    table::{Table, percentile},
};

const ROUNDS: usize = 50;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let bundle = bundle(daemon);
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
        let runc = run_with_runc(&bundle, round);
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
    for (name, times) in ["create", "start", "wait", "remove"].iter().zip(&mut steps) {
        table.time(&format!("{name}, p50"), percentile(times, 0.5), None, "");
    }
    table.time(
        "create+start+wait+remove, p50",
        percentile(&mut steps[4], 0.5),
        floor,
        "<= 0.5 x runc run",
    );
}

/// An OCI bundle of the probe image: its tar unpacked, and `runc spec` with the probe as its process.
fn bundle(daemon: &Daemon) -> PathBuf {
    let bundle = daemon.home().join("bundle");
    fs::create_dir_all(bundle.join("rootfs")).expect("a folder");
    let image = std::env::var("PROBE_IMAGE").expect("checked before");
    let unpacked = Command::new("tar")
        .arg("-xf")
        .arg(image)
        .arg("-C")
        .arg(bundle.join("rootfs"))
        .status();
    assert!(
        unpacked.is_ok_and(|s| s.success()),
        "tar unpacks the probe image"
    );
    if Command::new("runc")
        .arg("spec")
        .current_dir(&bundle)
        .status()
        .is_ok_and(|s| s.success())
    {
        let path = bundle.join("config.json");
        let mut spec: Value =
            serde_json::from_slice(&fs::read(&path).expect("a spec")).expect("JSON");
        spec["process"]["args"] = json!(["/probe", "exit", "0"]);
        spec["process"]["terminal"] = false.into();
        spec["process"]
            .as_object_mut()
            .expect("an object")
            .remove("rlimits");
        fs::write(path, spec.to_string()).expect("a writable spec");
    }
    bundle
}

fn run_with_runc(bundle: &Path, round: usize) -> Option<Duration> {
    let started = Instant::now();
    let status = Command::new("runc")
        .args(["run", "--bundle"])
        .arg(bundle)
        .arg(format!("bench-{}-{round}", std::process::id()))
        .status();
    let time = started.elapsed();
    match status {
        Ok(status) => {
            assert!(status.success(), "runc run failed: {status}");
            Some(time)
        }
        Err(_) => None,
    }
}
