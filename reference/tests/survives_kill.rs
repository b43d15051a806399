//! Containers outlive the daemon: after SIGKILL the next one adopts them, and no line and no exit code is lost.
#![expect(clippy::unwrap_used)] // helpers of tests

mod served;

use std::{
    fs,
    os::fd::{AsRawFd, OwnedFd},
    thread::sleep,
    time::Duration,
};

use nix::{
    sys::{
        signal::{Signal, kill},
        socket::{
            AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, send, socket,
        },
    },
    unistd::Pid,
};
use serde_json::json;
use served::{Host, is_alive, until};

const COUNTS: &str = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.01; done";

/// Lines are `1`, `2`, `3`... without a gap or a repetition.
fn assert_without_gap(lines: &[String]) {
    for (line, number) in lines.iter().zip(1..) {
        assert_eq!(line, &number.to_string(), "of {} lines", lines.len());
    }
}

#[test]
fn a_running_container_goes_on_and_is_adopted_with_its_log_whole() {
    let mut host = Host::new();
    let id = host.run(COUNTS);
    until("ten lines", || host.log(&id).len() > 10);
    let (pid, before) = (host.pid(&id), host.log(&id).len());
    host.kill();
    sleep(Duration::from_millis(200));
    host.start();
    assert_eq!((host.pid(&id), host.status(&id).as_str()), (pid, "running"));
    until("further lines", || host.log(&id).len() > before + 20);
    assert_without_gap(&host.log(&id));
    host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
    assert_eq!(host.status(&id), "exited");
    assert!(!is_alive(pid));
}

#[test]
fn an_exit_while_nobody_serves_is_known_to_the_next_daemon() {
    let mut host = Host::new();
    let id = host.run("seq 1 500; sleep 0.3; seq 501 1000; exit 7");
    let pid = host.pid(&id);
    host.kill();
    until("its end", || !is_alive(pid));
    host.start();
    assert_eq!(host.wait(&id), 7);
    let lines = host.log(&id);
    assert_eq!(lines.len(), 1000);
    assert_without_gap(&lines);
}

#[test]
fn a_container_whose_monitor_was_killed_can_be_waited_for_and_removed() {
    let host = Host::new();
    let id = host.run("while ! test -e /go; do sleep 0.05; done");
    let orphan = host.run("sleep 1000");
    let pids = [host.pid(&id), host.pid(&orphan)];
    pids.into_iter().for_each(kill_monitor);
    assert_eq!(host.status(&orphan), "running");
    fs::write(host.runroot().join("mounts").join(&id).join("go"), "").unwrap();
    // How it ended, only its monitor could have known.
    assert_eq!(host.wait(&id), -1);
    assert_eq!(host.status(&id), "exited");
    host.call("RemoveContainer", &json!({ "name": id }));
    host.call("RemoveContainer", &json!({ "name": orphan, "force": true }));
    assert!(!pids.into_iter().any(is_alive));
}

/// A container's monitor, which this test's own daemon started, by the container's process 1.
fn parent(pid: i32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let parent = after_name.split_whitespace().nth(1).unwrap();
    parent.parse().unwrap()
}

fn kill_monitor(pid: i32) {
    let monitor = parent(pid);
    let command = fs::read_to_string(format!("/proc/{monitor}/cmdline")).unwrap();
    assert!(command.contains("monitor"), "{command}");
    kill(Pid::from_raw(monitor), Signal::SIGKILL).unwrap();
}

#[test]
fn a_created_container_is_still_there_and_can_be_started() {
    let mut host = Host::new();
    host.create_named(Some("kept"), "true");
    host.kill();
    host.start();
    assert_eq!(host.status("kept"), "configured");
    host.call("StartContainer", &json!({ "name": "kept" }));
    assert_eq!(host.wait("kept"), 0);
}

/// The helper that a daemon forks monitors from.
fn zygote(host: &Host) -> i32 {
    let daemon = host.daemon().child.id();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_it = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let parent = after_name.split_whitespace().nth(1).unwrap_or_default();
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        parent == daemon.to_string() && command.split('\0').nth(1) == Some("monitors")
    };
    pids.find(is_it).unwrap()
}

#[test]
fn the_process_that_monitors_are_forked_from_ends_with_the_daemon() {
    let mut host = Host::new();
    let id = host.run("sleep 1000");
    let (pid, helper) = (host.pid(&id), zygote(&host));
    host.kill();
    until("its end", || !is_alive(helper));
    host.start();
    assert_eq!((host.pid(&id), host.status(&id).as_str()), (pid, "running"));
    assert_ne!(zygote(&host), helper);
}

#[test]
fn where_that_process_is_killed_the_next_start_has_another_one() {
    let host = Host::new();
    let first = host.run("sleep 1000");
    let helper = zygote(&host);
    kill(Pid::from_raw(helper), Signal::SIGKILL).unwrap();
    let second = host.run("exit 3");
    assert_eq!(host.wait(&second), 3);
    assert_ne!(zygote(&host), helper);
    assert_eq!(host.status(&first), "running");
}

#[test]
fn no_descriptor_of_the_daemon_or_of_another_container_is_left_in_a_monitor() {
    let host = Host::new();
    let ids: Vec<String> = (0..3).map(|_| host.run("sleep 1000")).collect();
    let open = |pid: i32| fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let counts: Vec<usize> = ids.iter().map(|id| open(parent(host.pid(id)))).collect();
    // Later ones have no more than the first.
    assert_eq!(counts, vec![counts.first().copied().unwrap(); 3]);
    // The three standard streams, its socket, what it keeps of /proc.
    until("the last report", || open(zygote(&host)) <= 5);
}

/// A client of a container's attach socket.
struct Attached(OwnedFd);

impl Attached {
    fn to(path: &str) -> Self {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).unwrap();
        connect(fd.as_raw_fd(), &UnixAddr::new(path).unwrap()).unwrap();
        Self(fd)
    }

    fn says(&self, text: &str) {
        send(self.0.as_raw_fd(), text.as_bytes(), MsgFlags::empty()).unwrap();
    }

    /// What comes next on standard output.
    fn hears(&self) -> String {
        let mut packet = [0; 8193];
        let length = recv(self.0.as_raw_fd(), &mut packet, MsgFlags::empty()).unwrap();
        assert_eq!(packet.first(), Some(&2));
        String::from_utf8_lossy(packet.get(1..length).unwrap()).into_owned()
    }
}

#[test]
fn who_is_attached_stays_so_without_the_daemon_and_others_come_with_the_next() {
    let mut host = Host::new();
    let mut request = served::request(
        &host.image,
        None,
        "while read line; do echo got $line; done",
    );
    request["create"]["interactive"] = true.into();
    let id = host.call("CreateContainer", &request)["container"].clone();
    host.call("StartContainer", &json!({ "name": id }));
    let sockets =
        |host: &Host| host.call("GetAttachSockets", &json!({ "name": id }))["sockets"].clone();
    let before = sockets(&host);
    let path = before["io_socket"].as_str().unwrap();
    let first = Attached::to(path);
    first.says("one\n");
    assert_eq!(first.hears(), "got one\n");
    host.kill();
    first.says("two\n");
    assert_eq!(first.hears(), "got two\n");
    host.start();
    assert_eq!(sockets(&host), before);
    let second = Attached::to(path);
    second.says("three\n");
    assert_eq!(
        (first.hears(), second.hears()),
        ("got three\n".into(), "got three\n".into())
    );
    assert_eq!(
        host.log(id.as_str().unwrap()),
        ["got one", "got two", "got three"]
    );
}
