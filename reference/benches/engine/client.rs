//! A small blocking client: one connection, one call at a time.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
};

use serde_json::{Value, json};

pub const INTERFACE: &str = "io.projectatomic.podman";

pub struct Client {
    stream: BufReader<UnixStream>,
    frame: Vec<u8>,
}

impl Client {
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the socket answers");
        Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            frame: Vec::new(),
        }
    }

    /// Sends bytes as they are, reads one frame; returns it without its NUL.
    pub fn exchange(&mut self, request: &[u8]) -> &[u8] {
        self.stream
            .get_mut()
            .write_all(request)
            .expect("a writable connection");
        self.receive()
    }

    pub fn receive(&mut self) -> &[u8] {
        self.frame.clear();
        self.stream
            .read_until(0, &mut self.frame)
            .expect("a readable connection");
        assert_eq!(
            self.frame.pop(),
            Some(0),
            "the daemon closed the connection"
        );
        &self.frame
    }

    /// Calls a method and gives its parameters; an error ends the benchmark.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let message = frame(method, parameters, false);
        let reply: Value = serde_json::from_slice(self.exchange(&message)).expect("JSON");
        assert!(
            reply.get("error").is_none(),
            "{method} {parameters}: {reply}"
        );
        reply["parameters"].clone()
    }
}

pub fn frame(method: &str, parameters: &Value, more: bool) -> Vec<u8> {
    let mut message =
        json!({ "method": format!("{INTERFACE}.{method}"), "parameters": parameters });
    if more {
        message["more"] = true.into();
    }
    let mut bytes = serde_json::to_vec(&message).expect("JSON");
    bytes.push(0);
    bytes
}
