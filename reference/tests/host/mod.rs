//! An engine of a test's own, with busybox to run; takes everything away again, also after a failure.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

#[path = "../busybox/mod.rs"]
mod busybox;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

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
        self.engine()
            .container_logs(id, false, NEVER, &mut |lines| {
                all.extend(lines);
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        all
    }

    pub fn status(&self, id: &str) -> String {
        self.engine().container(id).unwrap().status
    }

    /// What is mounted below this test's folder.
    pub fn mounts(&self) -> Vec<String> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        points
            .filter(|point| point.starts_with(folder))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.engine.is_none() {
            self.engine = self.try_open().ok();
        }
        if let Some(engine) = &self.engine {
            for container in engine.containers().unwrap_or_default() {
                let _ = engine.remove_container(&container.id, true);
            }
        }
        self.engine = None;
        for point in self.mounts() {
            let _ = podman_reference::sys::mount::unmount_all(Path::new(&point));
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
