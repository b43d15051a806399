//! Small services to judge, and small suites to judge them by.
#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A service in threads of the test, and a folder for a suite.
pub struct Service {
    folder: TempDir,
}

/// One frame without its NUL; nothing at the end.
pub fn frame(reader: &mut BufReader<UnixStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_until(0, &mut bytes).ok()?;
    bytes.pop().map(|_| bytes)
}

pub fn send(stream: &mut UnixStream, message: &Value) {
    let _ = stream.write_all(format!("{message}\0").as_bytes());
}

impl Service {
    /// Each connection gets a thread that runs `behaviour`.
    pub fn with(behaviour: impl Fn(UnixStream) + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let behaviour = Arc::new(behaviour);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let behaviour = Arc::clone(&behaviour);
                thread::spawn(move || behaviour(stream));
            }
        });
        Self { folder }
    }

    /// Every call is answered by the messages that `answer` gives for its method and parameters;
    /// `org.varlink.service.GetInfo` is answered too.
    pub fn answering(answer: impl Fn(&str, &Value) -> Vec<Value> + Send + Sync + 'static) -> Self {
        Self::with(move |mut stream| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while let Some(bytes) = frame(&mut reader) {
                let call: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let method = call["method"].as_str().unwrap_or_default();
                let messages = match method {
                    "org.varlink.service.GetInfo" => {
                        vec![info(&["org.varlink.service", "org.example.test"])]
                    }
                    method => answer(method, &call["parameters"]),
                };
                messages
                    .iter()
                    .for_each(|message| send(&mut stream, message));
            }
        })
    }

    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("socket").display())
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a scenario to the suite; `head` are further lines of its front matter.
    pub fn scenario(&self, id: &str, head: &str, transcript: &str) -> &Self {
        write_scenario(&self.suite(), id, head, transcript);
        self
    }

    pub fn suite(&self) -> PathBuf {
        self.folder.path().join("suite")
    }

    /// `varlink-conformance run` on this service with its suite, without colours.
    pub fn run(&self) -> Command {
        let mut command = conformance();
        command
            .arg("run")
            .arg(self.address())
            .args(["--timeout", "2", "--color", "never"]);
        command.arg("--suite").arg(self.suite());
        command
    }
}

pub fn write_scenario(suite: &Path, id: &str, head: &str, transcript: &str) {
    let path = suite.join(format!("{id}.scenario"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let level = if head.contains("level") {
        ""
    } else {
        "level = \"must\"\n"
    };
    let text = format!(
        "---\nid = \"{id}\"\n{level}covers = [\"Wire-1\"]\n{head}\n---\n# The title of {id}.\n{transcript}\n",
    );
    fs::write(path, text).unwrap();
}

pub fn conformance() -> Command {
    Command::cargo_bin("varlink-conformance").unwrap()
}

pub fn info(interfaces: &[&str]) -> Value {
    json!({"parameters": {
        "vendor": "Example", "product": "Test", "version": "1", "url": "https://example.org",
        "interfaces": interfaces,
    }})
}

pub fn reply(parameters: Value) -> Vec<Value> {
    vec![json!({"parameters": parameters})]
}

pub const PING: &str = "$ varlink call org.example.test.Ping\n{ \"message\": \"OK\" }";
