//! ListContainers with many containers beside an echo of as many bytes.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::{Client, frame},
    daemon::Daemon,
    table::{Table, percentile},
};

const ROUNDS: usize = 30;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let request = frame("ListContainers", &serde_json::json!({}), false);
    let mut there = 0;
    for count in [1, 100, 1000] {
        while there < count {
            daemon.create(&mut client, &["exit", "0"]);
            there += 1;
        }
        let size = client.exchange(&request).len();
        let measured = median(&mut client, &request);
        let floor = echo_of(daemon, size, &request);
        let aim = if count == 1000 { "<= 10 ms" } else { "" };
        table.time(
            &format!("ListContainers, {count} containers, p50"),
            measured,
            Some(("same bytes", floor)),
            aim,
        );
    }
}

fn median(client: &mut Client, request: &[u8]) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let sent = Instant::now();
            client.exchange(request);
            sent.elapsed()
        })
        .collect();
    percentile(&mut times, 0.5)
}

fn echo_of(daemon: &Daemon, size: usize, request: &[u8]) -> Duration {
    let path = daemon.home().join(format!("bytes-{size}"));
    let listener = UnixListener::bind(&path).expect("a free path");
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut reply = vec![b'x'; size];
        reply.push(0);
        let mut reader = BufReader::new(&stream);
        let mut frame = Vec::new();
        while reader.read_until(0, &mut frame).is_ok_and(|n| n > 0) {
            if (&stream).write_all(&reply).is_err() {
                return;
            }
            frame.clear();
        }
    });
    median(&mut Client::connect(&path), request)
}
