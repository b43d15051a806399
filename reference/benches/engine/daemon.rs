//! The engine under measurement, on a private root and socket, and the probe image in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;

pub struct Daemon {
    child: Child,
    home: TempDir,
    pub image: String,
}

impl Daemon {
    pub fn start() -> Self {
        let home = tempfile::Builder::new()
            .prefix("podman-reference-bench.")
            .tempdir()
            .expect("a folder");
        let child = Command::new(env!("CARGO_BIN_EXE_podman-reference"))
            .arg("serve")
            .arg("--address")
            .arg(format!("unix:{}", home.path().join("run/s").display()))
            .arg("--root")
            .arg(home.path().join("root"))
            .arg("--runroot")
            .arg(home.path().join("run"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(home.path().join("log")).expect("a log"))
            .spawn()
            .expect("the engine starts");
        let mut daemon = Self {
            child,
            home,
            image: String::new(),
        };
        daemon.wait_until_it_answers();
        daemon.image = daemon.import();
        daemon
    }

    fn wait_until_it_answers(&self) {
        let started = Instant::now();
        while !self.socket().exists() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "the engine does not answer"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn import(&self) -> String {
        let source = std::env::var("PROBE_IMAGE")
            .expect("PROBE_IMAGE names the probe image's tar: see scripts/bench");
        let parameters =
            json!({ "source": source, "reference": "bench:latest", "message": "", "changes": [] });
        let reply = self.client().call("ImportImage", &parameters);
        reply["image"].as_str().expect("an id").to_owned()
    }

    pub fn socket(&self) -> PathBuf {
        self.home.path().join("run/s")
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.socket())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Creates a container that runs the probe with these words.
    pub fn create(&self, client: &mut Client, words: &[&str]) -> String {
        let command: Vec<&str> = std::iter::once("/probe")
            .chain(words.iter().copied())
            .collect();
        let create = json!({ "image": self.image, "command": command, "net_mode": "none" });
        let reply = client.call("CreateContainer", &json!({ "create": create }));
        reply["container"].as_str().expect("an id").to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let mut client = self.client();
        let listed = client.call("ListContainers", &json!({}));
        for container in listed["containers"].as_array().into_iter().flatten() {
            client.call(
                "RemoveContainer",
                &json!({ "name": container["id"], "force": true }),
            );
        }
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("the engine is ours");
        let _ = self.child.wait();
    }
}
