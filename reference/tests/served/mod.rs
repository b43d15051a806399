//! A daemon with an image, and its containers as a client sees them; takes everything away again, also after a failure.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

#[path = "../busybox/mod.rs"]
pub mod busybox;
#[path = "../left/mod.rs"]
pub mod left;
#[path = "../support/mod.rs"]
pub mod support;

use std::{
    fs::{self, OpenOptions},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use podman_reference::sys::kill_point;
use serde_json::{Value, json};
use support::{Client, Daemon};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder, and the daemon in it.
pub struct Host {
    pub daemon: Option<Daemon>,
    pub folder: Arc<TempDir>,
    pub image: String,
}

/// An error's name without its interface, and its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub error: String,
    pub parameters: Value,
}

impl Host {
    pub fn new() -> Self {
        Self::new_in(|_| {})
    }

    /// In a folder that was prepared first.
    pub fn new_in(prepare: impl FnOnce(&Path)) -> Self {
        let mut host = Self {
            daemon: None,
            folder: Arc::new(TempDir::new().unwrap()),
            image: String::new(),
        };
        prepare(host.folder.path());
        host.start();
        host.image = host.import("box");
        host
    }

    pub fn import(&self, reference: &str) -> String {
        self.import_with(reference, &[])
    }

    pub fn import_with(&self, reference: &str, changes: &[&str]) -> String {
        let source = self.folder.path().join("image.tar");
        fs::write(&source, busybox::archive()).unwrap();
        let reply = self.call(
            "ImportImage",
            &json!({ "source": source, "reference": reference, "changes": changes }),
        );
        reply["image"].as_str().unwrap().to_owned()
    }

    /// The next daemon in this folder.
    pub fn start(&mut self) {
        self.start_with(|command| command);
    }

    pub fn start_with(&mut self, change: impl FnOnce(&mut Command) -> &mut Command) {
        let mut command = Command::new(support::binary());
        command.args(support::arguments(self.folder.path()));
        let mut log = OpenOptions::new();
        let log = log.create(true).append(true).open(self.daemon_log());
        command.stderr(log.unwrap());
        command.env(kill_point::VARIABLE, self.kill_point());
        change(&mut command);
        let daemon = Daemon::try_spawn(command, Arc::clone(&self.folder));
        let failed = |status| panic!("no daemon: {status}: {}", self.said());
        self.daemon = Some(daemon.unwrap_or_else(failed));
    }

    /// Ends the daemon with SIGKILL.
    pub fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.signal(Signal::SIGKILL);
        daemon.end();
    }

    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub fn runroot(&self) -> PathBuf {
        self.folder.path().join("runroot")
    }

    /// The file that names the point at which daemon or monitor die.
    pub fn kill_point(&self) -> PathBuf {
        self.folder.path().join("kill-point")
    }

    fn daemon_log(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// What all daemons in this folder have said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.daemon_log()).unwrap_or_default()
    }

    pub fn client(&self) -> Client {
        Client::connect(&support::socket(self.folder.path()))
    }

    pub fn try_call(&self, method: &str, parameters: &Value) -> Result<Value, Refusal> {
        try_call(&mut self.client(), method, parameters)
    }

    pub fn call(&self, method: &str, parameters: &Value) -> Value {
        self.try_call(method, parameters)
            .unwrap_or_else(|refusal| panic!("{method} {parameters}: {refusal:?}"))
    }

    /// Creates a container that runs a shell script.
    pub fn create(&self, script: &str) -> String {
        self.create_named(None, script)
    }

    pub fn create_named(&self, name: Option<&str>, script: &str) -> String {
        let create = request(&self.image, name, script);
        let reply = self.call("CreateContainer", &create);
        reply["container"].as_str().unwrap().to_owned()
    }

    /// Creates and starts a container that runs a shell script.
    pub fn run(&self, script: &str) -> String {
        let id = self.create(script);
        self.call("StartContainer", &json!({ "name": id }));
        id
    }

    pub fn wait(&self, name: &str) -> i64 {
        let reply = self.call("WaitContainer", &json!({ "name": name }));
        reply["exitcode"].as_i64().unwrap()
    }

    pub fn get(&self, name: &str) -> Value {
        self.call("GetContainer", &json!({ "name": name }))["container"].clone()
    }

    pub fn pid(&self, name: &str) -> i32 {
        let container = self.get(name);
        let pid = container["namespaces"]["pid"].as_str().unwrap();
        pid.parse().unwrap()
    }

    pub fn status(&self, name: &str) -> String {
        self.get(name)["status"].as_str().unwrap().to_owned()
    }

    pub fn log(&self, name: &str) -> Vec<String> {
        let log = self.call("GetContainerLogs", &json!({ "name": name }));
        let lines = log["container"].as_array().into_iter().flatten();
        lines
            .map(|line| line.as_str().unwrap().trim_end().to_owned())
            .collect()
    }

    /// The ids of all containers.
    pub fn containers(&self) -> Vec<String> {
        let listed = self.call("ListContainers", &json!({}));
        let all = listed["containers"].as_array().into_iter().flatten();
        all.map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub fn remove(&self, name: &str) {
        self.call("RemoveContainer", &json!({ "name": name, "force": true }));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Its own trouble must not hide a test's failure.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if self.daemon.is_none() {
                self.start();
            }
            self.containers().iter().for_each(|id| self.remove(id));
        }));
        for point in left::mounts_below(self.folder.path()) {
            let _ = podman_reference::sys::mount::unmount_all(&point);
        }
    }
}

pub fn try_call(client: &mut Client, method: &str, parameters: &Value) -> Result<Value, Refusal> {
    let reply = client.call(&format!("io.projectatomic.podman.{method}"), parameters);
    match reply["error"].as_str() {
        None => Ok(reply["parameters"].clone()),
        Some(error) => Err(Refusal {
            error: error.rsplit('.').next().unwrap_or(error).to_owned(),
            parameters: reply["parameters"].clone(),
        }),
    }
}

/// The parameters of CreateContainer for a shell script.
pub fn request(image: &str, name: Option<&str>, script: &str) -> Value {
    let command = ["/bin/sh", "-c", script];
    let mut create = json!({ "image": image, "command": command, "net_mode": "none" });
    if let Some(name) = name {
        create["name"] = name.into();
    }
    json!({ "create": create })
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A zombie is not alive: who its new parent is, and when that reaps it, is not the engine's business.
pub fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}
