//! A log of 100 MB, in one reply and streamed, beside a copy of as many bytes through a socket.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{client::frame, daemon::Daemon, table::Table};

/// Lines of 100 bytes, the line break included.
const LINES: usize = 1_000_000;
const BYTES: usize = LINES * 100;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    // `TEXT N`: seven digits at most, so every line is between 94 and 100 bytes long.
    let text = "x".repeat(92);
    let id = daemon.create(&mut client, &["print", &LINES.to_string(), &text]);
    let written = Instant::now();
    client.call("StartContainer", &json!({ "name": id }));
    client.call("WaitContainer", &json!({ "name": id }));
    let floor = copy();
    table.figure(
        "100 MB written to the log",
        rate(written.elapsed()),
        "MB/s",
        Some(("socket copy", rate(floor))),
        "",
    );
    for (name, more) in [("plain", false), ("streamed", true)] {
        // At most 16 MiB fit into one message: the plain form may be refused, and then only says so.
        let (time, bytes) = read(daemon, &id, more);
        let measured = bytes as f64 / 1e6 / time.as_secs_f64();
        table.figure(
            &format!("log read, {name}, {} MB", bytes / 1_000_000),
            measured,
            "MB/s",
            Some(("socket copy", rate(floor))),
            ">= 300 MB/s",
        );
    }
}

fn rate(time: Duration) -> f64 {
    BYTES as f64 / 1e6 / time.as_secs_f64()
}

fn read(daemon: &Daemon, id: &str, more: bool) -> (Duration, usize) {
    let mut client = daemon.client();
    let request = frame("GetContainerLogs", &json!({ "name": id }), more);
    let started = Instant::now();
    let mut reply = client.exchange(&request);
    let mut bytes = reply.len();
    while more && goes_on(reply) {
        reply = client.receive();
        bytes += reply.len();
    }
    (started.elapsed(), bytes)
}

/// Looks at the ends of a reply only, so that the client's own JSON reader is not what is measured.
fn goes_on(reply: &[u8]) -> bool {
    let ends = [
        &reply[..reply.len().min(40)],
        &reply[reply.len().saturating_sub(40)..],
    ]
    .concat();
    String::from_utf8_lossy(&ends).contains("\"continues\":true")
}

fn copy() -> Duration {
    let (mut from, mut to) = UnixStream::pair().expect("a pair");
    let started = Instant::now();
    let writer = thread::spawn(move || {
        let block = vec![b'x'; 1 << 16];
        for _ in 0..BYTES / block.len() {
            to.write_all(&block).expect("a reader");
        }
    });
    let mut block = vec![0; 1 << 16];
    while from.read(&mut block).expect("a writer") > 0 {}
    writer.join().expect("the writer ends well");
    started.elapsed()
}
