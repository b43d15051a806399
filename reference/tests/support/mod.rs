//! A daemon of its own for each test, and a client that speaks bytes.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
pub const PING: &str = r#"{"method":"io.projectatomic.podman.Ping"}"#;

pub fn binary() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("podman-reference").to_owned()
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    pub child: Child,
    /// May be shared: a test that outlives its daemon keeps it for the next one.
    pub folder: Arc<TempDir>,
    _output: BufReader<ChildStdout>,
}

impl Daemon {
    pub fn start() -> Self {
        Self::start_with(|command| command)
    }

    pub fn start_and_connect() -> (Self, Client) {
        let daemon = Self::start();
        let client = daemon.connect();
        (daemon, client)
    }

    /// Starts it through a shell: `before` comes first, such as `ulimit -n 64;`.
    pub fn start_after(before: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut shell = Command::new("sh");
        let script = format!(r#"{before} exec "$0" "$@""#);
        shell
            .arg("-c")
            .arg(script)
            .arg(binary())
            .args(arguments(folder.path()));
        Self::spawn(shell, folder)
    }

    pub fn start_with(change: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(binary());
        change(command.args(arguments(folder.path())));
        Self::spawn(command, folder)
    }

    /// The next daemon in a folder that an earlier one has left.
    pub fn start_in(folder: &Arc<TempDir>) -> Self {
        let mut command = Command::new(binary());
        command.args(arguments(folder.path()));
        Self::spawn(command, Arc::clone(folder))
    }

    pub fn spawn(command: Command, folder: impl Into<Arc<TempDir>>) -> Self {
        Self::try_spawn(command, folder).unwrap_or_else(|status| panic!("no daemon: {status}"))
    }

    /// With how it ended if it does not come to serve.
    pub fn try_spawn(
        mut command: Command,
        folder: impl Into<Arc<TempDir>>,
    ) -> Result<Self, ExitStatus> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        output.read_line(&mut ready).unwrap();
        if !ready.starts_with("podman-reference ") {
            return Err(child.wait().unwrap());
        }
        Ok(Self {
            child,
            folder: folder.into(),
            _output: output,
        })
    }

    pub fn socket(&self) -> PathBuf {
        socket(self.folder.path())
    }

    pub fn connect(&self) -> Client {
        Client::connect(&self.socket())
    }

    pub fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// Its exit status, waited for.
    pub fn end(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the daemon did not end");
    }

    /// A number from `/proc/PID/status`.
    pub fn status(&self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time used so far, in ticks of 10 ms.
    pub fn ticks(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = text
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn socket(folder: &Path) -> PathBuf {
    folder.join("run/socket")
}

/// What a daemon in this folder is started with.
pub fn arguments(folder: &Path) -> Vec<String> {
    let folder = folder.display();
    let address = format!("unix:{folder}/run/socket");
    let (root, runroot) = (format!("{folder}/root"), format!("{folder}/runroot"));
    [
        "serve",
        "--address",
        &address,
        "--root",
        &root,
        "--runroot",
        &runroot,
    ]
    .map(str::to_owned)
    .into()
}

pub struct Client(BufReader<UnixStream>);

impl Client {
    pub fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    pub fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    /// Sends a message and its NUL.
    pub fn send(&mut self, message: &str) {
        self.send_raw(&[message.as_bytes(), b"\0"].concat());
    }

    /// The next message; `None` when the connection was closed.
    pub fn receive(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        match self.0.read_until(0, &mut message) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
            other => other.expect("an answer in time"),
        };
        assert_eq!(message.pop().unwrap_or(0), 0, "a message without its NUL");
        (!message.is_empty()).then(|| serde_json::from_slice(&message).unwrap())
    }

    pub fn ask(&mut self, message: &str) -> Value {
        self.send(message);
        self.receive().expect("an answer")
    }

    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.ask(&json!({"method": method, "parameters": parameters}).to_string())
    }

    /// Asserts that this connection answers.
    pub fn ping(&mut self) {
        assert_eq!(self.ask(PING), pong());
    }

    pub fn half_close(&mut self) {
        self.stream().shutdown(Shutdown::Write).unwrap();
    }

    /// Whether the other side has closed; waits for it.
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

pub fn pong() -> Value {
    json!({"parameters": {"ping": {"message": "OK"}}})
}

pub fn invalid(parameter: &str) -> Value {
    json!({"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": parameter}})
}
