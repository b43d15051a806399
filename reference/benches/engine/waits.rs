//! What calls cost that wait for a container to end, and how soon they hear of it.

use std::{
    fs,
    io::Write,
    os::fd::{AsFd, FromRawFd, OwnedFd},
    thread,
    time::{Duration, Instant},
};

use nix::{
    libc,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use serde_json::json;

use crate::{
    client::frame,
    daemon::Daemon,
    table::{Table, percentile},
};

const WAITS: usize = 1000;
const SECONDS: u64 = 5;
const ROUNDS: usize = 20;

pub fn measure(daemon: &Daemon, table: &mut Table) {
    wake_up(daemon, table);
    cost(daemon, table);
}

/// From the end of process 1 to the reply, beside what the kernel needs to wake a process that waits for that end itself.
fn wake_up(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let (mut heard, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let id = daemon.create(&mut client, &["sleep"]);
        client.call("StartContainer", &json!({ "name": id }));
        let process = process_of(&mut client, &id);
        let waiting = {
            let mut client = daemon.client();
            let name = json!({ "name": id });
            thread::spawn(move || {
                client.call("WaitContainer", &name);
                Instant::now()
            })
        };
        let seen = thread::spawn(move || {
            poll_for(&process);
            (Instant::now(), process)
        });
        thread::sleep(Duration::from_millis(20));
        let killed = Instant::now();
        client.call("KillContainer", &json!({ "name": id, "signal": 9 }));
        let (ended, _) = seen.join().expect("the end is seen");
        let told = waiting.join().expect("the reply comes");
        floor.push(ended - killed);
        heard.push(told.saturating_duration_since(ended));
        client.call("RemoveContainer", &json!({ "name": id }));
    }
    table.time(
        "WaitContainer, from the end to the reply, p50",
        percentile(&mut heard, 0.5),
        Some(("kill to end", percentile(&mut floor, 0.5))),
        "<= 5 ms",
    );
}

fn process_of(client: &mut crate::client::Client, id: &str) -> OwnedFd {
    let reply = client.call("GetContainer", &json!({ "name": id }));
    let pid = reply["container"]["namespaces"]["pid"].as_str();
    let pid: i32 = pid.and_then(|pid| pid.parse().ok()).expect("a pid");
    // SAFETY: the call takes two integers.
    #[allow(unsafe_code)]
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).expect("a descriptor");
    assert!(fd >= 0, "process {pid} runs");
    // SAFETY: the kernel has just returned it.
    #[allow(unsafe_code)]
    unsafe {
        OwnedFd::from_raw_fd(fd)
    }
}

fn poll_for(process: &OwnedFd) {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::NONE).expect("poll(2) works");
}

/// Processor time of the daemon while many calls wait.
fn cost(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    let id = daemon.create(&mut client, &["sleep"]);
    client.call("StartContainer", &json!({ "name": id }));
    let request = frame("WaitContainer", &json!({ "name": id }), false);
    let waiting: Vec<_> = (0..WAITS)
        .map(|_| {
            let mut stream =
                std::os::unix::net::UnixStream::connect(daemon.socket()).expect("a connection");
            stream.write_all(&request).expect("a writable connection");
            stream
        })
        .collect();
    thread::sleep(Duration::from_secs(1));
    let before = ticks(daemon.pid());
    thread::sleep(Duration::from_secs(SECONDS));
    let used = ticks(daemon.pid()) - before;
    drop(waiting);
    table.figure(
        &format!("daemon, {WAITS} calls waiting, {SECONDS} s"),
        used as f64 * 10.0,
        "ms of processor",
        None,
        "0",
    );
}

/// User and system time of a process, in hundredths of a second.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the daemon runs");
    let after_name = stat.rsplit(')').next().expect("a line");
    let fields = after_name.split_ascii_whitespace().skip(11).take(2);
    fields
        .map(|field| field.parse::<u64>().expect("ticks"))
        .sum()
}
