//! Containers outlive the daemon: after SIGKILL the next one adopts them, and no line and no exit code is lost.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod busybox;
mod support;

use std::{
    fs,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use support::{Client, Daemon};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder, and the daemon in it; what is left of its containers is removed with it.
struct Host {
    daemon: Option<Daemon>,
    folder: Arc<TempDir>,
    image: String,
}

impl Host {
    fn new() -> Self {
        let mut host = Self {
            daemon: None,
            folder: Arc::new(TempDir::new().unwrap()),
            image: String::new(),
        };
        host.start();
        fs::write(host.folder.path().join("image.tar"), busybox::archive()).unwrap();
        let source = host.folder.path().join("image.tar");
        let reply = host.call(
            "ImportImage",
            &json!({ "source": source, "reference": "box" }),
        );
        host.image = reply["image"].as_str().unwrap().to_owned();
        host
    }

    fn start(&mut self) {
        self.daemon = Some(Daemon::start_in(&self.folder));
    }

    fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.signal(Signal::SIGKILL);
        daemon.end();
    }

    fn call(&self, method: &str, parameters: &Value) -> Value {
        let method = format!("io.projectatomic.podman.{method}");
        let message = json!({ "method": method, "parameters": parameters }).to_string();
        let reply = Client::connect(&support::socket(self.folder.path())).ask(&message);
        assert!(reply["error"].is_null(), "{message}: {reply}");
        reply["parameters"].clone()
    }

    /// Creates and starts a container that runs a shell script.
    fn run(&self, script: &str) -> String {
        let command = ["/bin/sh", "-c", script];
        let create = json!({ "image": self.image, "command": command, "net_mode": "none" });
        let id = self.call("CreateContainer", &json!({ "create": create }))["container"].clone();
        self.call("StartContainer", &json!({ "name": id }));
        id.as_str().unwrap().to_owned()
    }

    fn pid(&self, id: &str) -> i32 {
        let container = self.call("GetContainer", &json!({ "name": id }));
        container["container"]["namespaces"]["pid"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    fn status(&self, id: &str) -> String {
        let container = self.call("GetContainer", &json!({ "name": id }));
        container["container"]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn log(&self, id: &str) -> Vec<String> {
        let log = self.call("GetContainerLogs", &json!({ "name": id }));
        let lines = log["container"].as_array().into_iter().flatten();
        lines
            .map(|line| line.as_str().unwrap().trim_end().to_owned())
            .collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.daemon.is_none() {
            self.start();
        }
        let listed = self.call("ListContainers", &json!({}));
        for container in listed["containers"].as_array().into_iter().flatten() {
            let name = &container["id"];
            self.call("RemoveContainer", &json!({ "name": name, "force": true }));
        }
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A zombie is not alive: who its new parent is, and when that reaps it, is not the engine's business.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

const COUNTS: &str = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.01; done";

/// Lines are `1`, `2`, `3`... without a gap or a repetition.
fn assert_without_gap(lines: &[String]) {
    for (line, number) in lines.iter().zip(1..) {
        assert_eq!(line, &number.to_string(), "of {} lines", lines.len());
    }
}

#[test]
fn a_running_container_goes_on_and_is_adopted_with_its_log_whole() {
    let mut host = Host::new();
    let id = host.run(COUNTS);
    until("ten lines", || host.log(&id).len() > 10);
    let (pid, before) = (host.pid(&id), host.log(&id).len());
    host.kill();
    sleep(Duration::from_millis(200));
    host.start();
    assert_eq!((host.pid(&id), host.status(&id).as_str()), (pid, "running"));
    until("further lines", || host.log(&id).len() > before + 20);
    assert_without_gap(&host.log(&id));
    host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
    assert_eq!(host.status(&id), "exited");
    assert!(!is_alive(pid));
}

#[test]
fn an_exit_while_nobody_serves_is_known_to_the_next_daemon() {
    let mut host = Host::new();
    let id = host.run("seq 1 500; sleep 0.3; seq 501 1000; exit 7");
    let pid = host.pid(&id);
    host.kill();
    until("its end", || !is_alive(pid));
    host.start();
    assert_eq!(
        host.call("WaitContainer", &json!({ "name": id }))["exitcode"],
        7
    );
    let lines = host.log(&id);
    assert_eq!(lines.len(), 1000);
    assert_without_gap(&lines);
}

#[test]
fn a_container_whose_monitor_was_killed_can_be_waited_for_and_removed() {
    let host = Host::new();
    let id = host.run("sleep 1");
    let orphan = host.run("sleep 1000");
    let pids = [host.pid(&id), host.pid(&orphan)];
    pids.into_iter().for_each(kill_monitor);
    assert_eq!(host.status(&orphan), "running");
    // How it ended, only its monitor could have known.
    let code = host.call("WaitContainer", &json!({ "name": id }))["exitcode"].clone();
    assert_eq!(code, podman_reference::monitor::RunState::UNKNOWN_EXIT_CODE);
    assert_eq!(host.status(&id), "exited");
    host.call("RemoveContainer", &json!({ "name": id }));
    host.call("RemoveContainer", &json!({ "name": orphan, "force": true }));
    assert!(!pids.into_iter().any(is_alive));
}

/// Kills the parent of a container's process 1, which this test's own daemon started.
fn kill_monitor(pid: i32) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let monitor: i32 = after_name
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let command = fs::read_to_string(format!("/proc/{monitor}/cmdline")).unwrap();
    assert!(command.contains("monitor"), "{command}");
    kill(Pid::from_raw(monitor), Signal::SIGKILL).unwrap();
}

#[test]
fn a_created_container_is_still_there_and_can_be_started() {
    let mut host = Host::new();
    let create = json!({ "image": host.image, "command": ["/bin/true"], "net_mode": "none", "name": "kept" });
    host.call("CreateContainer", &json!({ "create": create }));
    host.kill();
    host.start();
    assert_eq!(host.status("kept"), "configured");
    host.call("StartContainer", &json!({ "name": "kept" }));
    assert_eq!(
        host.call("WaitContainer", &json!({ "name": "kept" }))["exitcode"],
        0
    );
}

#[test]
fn a_damaged_record_takes_no_other_container_along() {
    let mut host = Host::new();
    let (good, bad) = (host.run("exit 3"), host.run("exit 4"));
    for id in [&good, &bad] {
        host.call("WaitContainer", &json!({ "name": id }));
    }
    host.kill();
    let containers = host.folder.path().join("root/containers");
    let record = containers.join(&bad).join("record.json");
    fs::write(&record, &fs::read(&record).unwrap()[..20]).unwrap();
    host.start();
    assert_eq!(
        host.call("WaitContainer", &json!({ "name": good }))["exitcode"],
        3
    );
    let listed = host.call("ListContainers", &json!({}));
    assert_eq!(listed["containers"].as_array().unwrap().len(), 1);
}
