//! Ping beside an echo over the same kind of socket.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::Client,
    daemon::Daemon,
    table::{Table, percentile},
};

const REQUEST: &[u8] = b"{\"method\":\"io.projectatomic.podman.Ping\"}\0";
const REPLY: &[u8] = b"{\"parameters\":{\"ping\":{\"message\":\"OK\"}}}\0";
const CALLS: usize = 100_000;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let floor = daemon.home().join("echo");
    serve_echo(&floor);
    for connections in [1, 50] {
        let engine = load(&daemon.socket(), connections);
        let echo = load(&floor, connections);
        let aim = |text: &'static str| if connections == 1 { text } else { "" };
        let name = |what: &str| format!("Ping {what}, {connections} connection(s)");
        table.time(
            &name("p50"),
            engine.p50,
            Some(("echo", echo.p50)),
            aim("<= 20 us"),
        );
        table.time(&name("p99"), engine.p99, Some(("echo", echo.p99)), "");
        table.figure(
            &name("calls"),
            engine.rate,
            "/s",
            Some(("echo", echo.rate)),
            if connections == 1 { "" } else { ">= 100,000/s" },
        );
    }
    let engine = pipelined(&daemon.socket());
    let echo = pipelined(&floor);
    table.figure(
        "Ping calls, pipelined by 100",
        engine,
        "/s",
        Some(("echo", echo)),
        "",
    );
}

struct Load {
    p50: Duration,
    p99: Duration,
    rate: f64,
}

fn load(socket: &Path, connections: usize) -> Load {
    let each = CALLS / connections;
    let started = Instant::now();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| client(socket, each)))
            .collect();
        clients
            .into_iter()
            .flat_map(|c| c.join().expect("a client ends well"))
            .collect()
    });
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    Load {
        p50: percentile(&mut times, 0.5),
        p99: percentile(&mut times, 0.99),
        rate,
    }
}

fn client(socket: &Path, calls: usize) -> Vec<Duration> {
    let mut client = Client::connect(socket);
    (0..calls)
        .map(|_| {
            let sent = Instant::now();
            client.exchange(REQUEST);
            sent.elapsed()
        })
        .collect()
}

fn pipelined(socket: &Path) -> f64 {
    let mut client = Client::connect(socket);
    let batch = REQUEST.repeat(100);
    let started = Instant::now();
    for _ in 0..CALLS / 100 {
        client.exchange(&batch);
        for _ in 1..100 {
            client.receive();
        }
    }
    CALLS as f64 / started.elapsed().as_secs_f64()
}

/// A thread per connection that answers each NUL with a fixed reply: what a server cannot be faster than.
fn serve_echo(socket: &Path) {
    let listener = UnixListener::bind(socket).expect("a free path");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(&stream));
        }
    });
}

fn echo(stream: &UnixStream) {
    let mut reader = BufReader::new(stream);
    let mut frame = Vec::new();
    while reader.read_until(0, &mut frame).is_ok_and(|n| n > 0) {
        let mut writer = stream;
        if writer.write_all(REPLY).is_err() {
            return;
        }
        frame.clear();
    }
}
