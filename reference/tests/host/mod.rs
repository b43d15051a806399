//! An engine of a test's own, with busybox to run; takes everything away again, also after a failure.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../busybox/mod.rs"]
pub mod busybox;
#[path = "../left/mod.rs"]
pub mod left;

use std::{collections::BTreeMap, fs, path::PathBuf};

use podman_reference::{
    engine::{Cancel, CreateRequest, Engine, EngineConfig, EngineError, request::NetworkRequest},
    monitor::Launcher,
};

pub const NEVER: Cancel<'_> = Cancel {
    peer: None,
    shutdown: None,
};

pub struct Host {
    engine: Option<Engine>,
    folder: tempfile::TempDir,
}

impl Host {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("engine-")
            .tempdir()
            .unwrap();
        let mut host = Self {
            engine: None,
            folder,
        };
        host.open();
        host
    }

    pub fn try_open(&self) -> Result<Engine, EngineError> {
        let config = EngineConfig {
            root: self.root(),
            runroot: self.runroot(),
        };
        Engine::open_with(
            &config,
            Launcher::new(env!("CARGO_BIN_EXE_podman-reference")),
        )
    }

    pub fn open(&mut self) {
        self.engine = Some(self.try_open().unwrap());
    }

    /// What a daemon that ends leaves: the containers go on.
    pub fn close(&mut self) {
        self.engine = None;
    }

    pub fn reopen(&mut self) {
        self.close();
        self.open();
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub fn runroot(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub fn import(&self, reference: &str, changes: &[&str]) -> Result<String, EngineError> {
        let source = self.path("busybox.tar");
        if !source.exists() {
            fs::write(&source, busybox::archive()).unwrap();
        }
        let changes: Vec<String> = changes.iter().map(|&c| c.to_owned()).collect();
        self.engine()
            .import_image(source.to_str().unwrap(), Some(reference), None, &changes)
    }

    /// A container that runs `script` in busybox's shell.
    pub fn create(&self, script: &str) -> String {
        self.try_create(&request(&["sh", "-c", script])).unwrap()
    }

    pub fn try_create(&self, request: &CreateRequest) -> Result<String, EngineError> {
        if self.engine().images().unwrap().is_empty() {
            self.import("busybox", &[]).unwrap();
        }
        self.engine().create_container(request)
    }

    pub fn run(&self, script: &str) -> (i64, Vec<String>) {
        let id = self.create(script);
        self.engine().start_container(&id).unwrap();
        let code = self.engine().wait_container(&id, NEVER).unwrap();
        (code, self.log(&id))
    }

    pub fn log(&self, id: &str) -> Vec<String> {
        let mut all = Vec::new();
        let last = self
            .engine()
            .container_logs(id, false, NEVER, &mut |lines| {
                all.extend(lines.lines().map(str::to_owned));
                std::ops::ControlFlow::Continue(())
            });
        all.extend(last.unwrap().lines().map(str::to_owned));
        all
    }

    pub fn status(&self, id: &str) -> String {
        self.engine().container(id).unwrap().status
    }

    /// What is mounted below this test's folder.
    pub fn mounts(&self) -> Vec<String> {
        let points = left::mounts_below(self.folder.path()).into_iter();
        points.map(|point| point.display().to_string()).collect()
    }

    /// Asserts that nothing of a container is left, on disk or elsewhere.
    pub fn assert_gone(&self, id: &str) {
        let left = left::of_container(&self.root(), &self.runroot(), id);
        assert!(left.is_empty(), "{left:?}");
    }

    /// Asserts that a container which does not run holds nothing outside the store.
    pub fn assert_at_rest(&self, id: &str) {
        let left = left::outside(&self.runroot(), id);
        assert!(left.is_empty(), "{left:?}");
    }

    pub fn start(&self, id: &str) {
        self.engine().start_container(id).unwrap();
    }

    pub fn wait(&self, id: &str) -> i64 {
        self.engine().wait_container(id, NEVER).unwrap()
    }

    /// Waits until a container has printed so many lines.
    pub fn wait_for_lines(&self, id: &str, count: usize) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while self.log(id).len() < count {
            assert!(std::time::Instant::now() < end, "{:?}", self.log(id));
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.engine.is_none() {
            self.engine = self.try_open().ok();
        }
        if let Some(engine) = &self.engine {
            // One that others use goes after them.
            while let Ok(left) = engine.containers()
                && left
                    .iter()
                    .filter(|one| engine.remove_container(&one.id, true).is_ok())
                    .count()
                    > 0
            {}
        }
        self.engine = None;
        for point in left::mounts_below(self.folder.path()) {
            let _ = podman_reference::sys::mount::unmount_all(&point);
        }
    }
}

pub fn request(command: &[&str]) -> CreateRequest {
    CreateRequest {
        image: "busybox".into(),
        command: command.iter().map(|&word| word.to_owned()).collect(),
        network: NetworkRequest {
            net_mode: Some("none".into()),
            ..NetworkRequest::default()
        },
        env: BTreeMap::new(),
        ..CreateRequest::default()
    }
}
