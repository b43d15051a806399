//! Pausing: it outlives the daemon, and whatever calls meet at a container, the paused one can always be ended.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs,
    io::Write,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use host::{Host, NEVER, left};
use podman_reference::sys::cgroup;

const PATIENCE: Duration = Duration::from_secs(30);
const COUNTS: &str = "n=0; while true; do n=$((n+1)); echo $n; sleep 0.01; done";

/// A container that runs, and has written a few lines.
fn counting(host: &Host) -> String {
    let id = host.create(COUNTS);
    host.engine().start_container(&id).unwrap();
    wrote_more_than(host, &id, 3);
    id
}

fn wrote_more_than(host: &Host, id: &str, lines: usize) {
    let end = Instant::now() + PATIENCE;
    while host.log(id).len() <= lines {
        assert!(Instant::now() < end, "it writes nothing");
        sleep(Duration::from_millis(10));
    }
}

/// Fails if the work takes longer than anything here may.
fn in_time(what: &str, work: impl FnOnce() + Send) {
    let (done, finished) = mpsc::channel();
    thread::scope(|scope| {
        let work = scope.spawn(move || {
            work();
            let _ = done.send(());
        });
        if finished.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            // A thread that hangs cannot be ended otherwise.
            let _ = writeln!(std::io::stderr(), "not in time: {what}");
            std::process::abort();
        }
        if let Err(panic) = work.join() {
            resume_unwind(panic);
        }
    });
}

fn signal_by_hand(pid: &str, signal: &str) {
    let done = std::process::Command::new("kill")
        .args([signal, pid])
        .status();
    assert!(done.unwrap().success());
}

/// A zombie has ended: when its new parent reaps it is not the engine's business.
fn has_ended(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.is_empty() || state.starts_with('Z')
}

#[test]
fn a_paused_container_is_still_paused_for_the_next_daemon() {
    let mut host = Host::new();
    let id = counting(&host);
    host.engine().pause_container(&id).unwrap();
    sleep(Duration::from_millis(200));
    let written = host.log(&id).len();
    host.reopen();
    assert_eq!(host.status(&id), "paused");
    sleep(Duration::from_millis(200));
    assert_eq!(host.log(&id).len(), written);
    assert!(host.engine().pause_container(&id).is_err());
    host.engine().unpause_container(&id).unwrap();
    wrote_more_than(&host, &id, written);
    assert_eq!(host.status(&id), "running");
}

#[test]
fn a_paused_container_whose_monitor_was_killed_can_be_removed() {
    let host = Host::new();
    let id = counting(&host);
    let pid = host.engine().container(&id).unwrap().namespaces.pid;
    host.engine().pause_container(&id).unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let monitor = stat.rsplit(')').next().unwrap().split(' ').nth(2).unwrap();
    signal_by_hand(monitor, "-KILL");
    in_time("the removal", || {
        host.engine().remove_container(&id, true).unwrap();
    });
    assert!(has_ended(&pid));
}

#[test]
fn a_paused_container_whose_record_is_damaged_does_not_hold_up_the_next_daemon() {
    let mut host = Host::new();
    let id = counting(&host);
    let pid = host.engine().container(&id).unwrap().namespaces.pid;
    host.engine().pause_container(&id).unwrap();
    host.close();
    let record = host.root().join("containers").join(&id).join("record.json");
    let whole = fs::read(&record).unwrap();
    fs::write(&record, "{").unwrap();
    // It could be made anew from this one.
    fs::remove_file(left::run_directory(&host.runroot(), &id).join("record.json")).unwrap();
    in_time("the next daemon", || host.open());
    assert!(!has_ended(&pid));
    host.close();
    fs::write(&record, whole).unwrap();
    in_time("the one after it", || host.open());
    assert_eq!(host.status(&id), "paused");
    in_time("the removal", || {
        host.engine().remove_container(&id, true).unwrap();
    });
    assert!(has_ended(&pid));
}

#[test]
fn whatever_calls_meet_at_a_container_all_of_them_return() {
    let host = Host::new();
    for round in 0..12 {
        let id = host.create("trap '' TERM; while true; do sleep 0.01; done");
        host.engine().start_container(&id).unwrap();
        let engine = host.engine();
        let begun = Instant::now();
        let pausing = || {
            while begun.elapsed() < Duration::from_millis(120) {
                let _ = engine.pause_container(&id);
                let _ = engine.unpause_container(&id);
            }
            let _ = engine.pause_container(&id);
        };
        in_time("pauses, and an end of the container", || {
            thread::scope(|scope| {
                scope.spawn(pausing);
                scope.spawn(pausing);
                scope.spawn(|| {
                    sleep(Duration::from_millis(10 * (round % 4) + 60));
                    match round % 3 {
                        0 => drop(engine.kill_container(&id, Some(9)).unwrap()),
                        1 => drop(engine.stop_container(&id, Some(1), NEVER).unwrap()),
                        _ => drop(engine.remove_container(&id, true).unwrap()),
                    }
                });
            });
        });
        if round % 3 != 2 {
            assert_eq!(host.status(&id), "exited");
            assert_eq!(engine.wait_container(&id, NEVER).unwrap(), 137);
        }
    }
}

/// A cgroup of the test's own. A frozen process of version 1 does not die, not even of SIGKILL.
struct Group(PathBuf);

impl Group {
    fn new() -> Self {
        let group = Self(format!("/podman-reference-test-{}", std::process::id()).into());
        cgroup::make(&group.0).unwrap();
        group
    }

    fn take_and_freeze(&self, pid: &str) {
        for group in self.directories() {
            let freezer = ["freezer.state", "cgroup.freeze"].map(|name| group.join(name));
            if freezer.iter().any(|file| file.exists()) {
                fs::write(group.join("cgroup.procs"), pid).unwrap();
            }
        }
        let freezer = cgroup::Freezer::of(&self.0).unwrap().unwrap();
        freezer.freeze().unwrap();
        let end = Instant::now() + PATIENCE;
        while freezer.progress().unwrap() != cgroup::Progress::Frozen {
            assert!(Instant::now() < end, "it does not freeze");
            sleep(Duration::from_millis(5));
        }
    }

    fn directories(&self) -> Vec<PathBuf> {
        let host = cgroup::Hierarchies::of_host().unwrap();
        host.groups(&self.0).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = cgroup::thaw(&self.0);
        let _ = cgroup::remove(&self.0);
    }
}

fn child_of(pid: &str) -> String {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(Path::new(&path)).unwrap();
    children.split(' ').next().unwrap().to_owned()
}

#[test]
fn a_container_that_is_ending_is_not_paused_for_ever() {
    let host = Host::new();
    let id = host.create("sleep 1000 & echo ready; read line < /go; exit 3");
    let fifo = host.root().join("containers").join(&id).join("upper/go");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    host.engine().start_container(&id).unwrap();
    wrote_more_than(&host, &id, 0);
    let pid = host.engine().container(&id).unwrap().namespaces.pid;
    let other = Group::new();
    other.take_and_freeze(&child_of(&pid));
    fs::write(host.runroot().join("mounts").join(&id).join("go"), "\n").unwrap();
    // In version 1 its first process now waits for the other one to die.
    sleep(Duration::from_millis(300));
    assert!(host.engine().pause_container(&id).is_err());
    drop(other);
    in_time("its end", || {
        assert_eq!(host.engine().wait_container(&id, NEVER).unwrap(), 3);
    });
}
