//! A container outlives the daemon that started it; and the loss of its monitor is told, not guessed over.

use std::{
    env, fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use podman_reference::{
    engine::supervise,
    monitor::{Init, RunState},
    sys::{process::Signal, wait::Stop},
};

use crate::fixture::Fixture;

/// In the child that plays the daemon: the file with its orders.
const DAEMON: &str = "MONITOR_TEST_DAEMON";

#[test]
fn a_container_outlives_the_daemon_that_was_killed() {
    if let Ok(orders) = env::var(DAEMON) {
        return play_daemon(&orders);
    }
    let home = tempfile::tempdir().unwrap();
    let orders = home.path().join("orders");
    fs::write(&orders, "").unwrap();
    let mut daemon = Command::new(env::current_exe().unwrap())
        .args([
            "survives::a_container_outlives_the_daemon_that_was_killed",
            "--exact",
        ])
        .env(DAEMON, &orders)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (keep, run) = wait_until(|| {
        let text = fs::read_to_string(&orders).ok()?;
        let (keep, run) = text.trim_end().split_once('\n')?;
        Some((keep.to_owned(), run.to_owned()))
    });
    daemon.kill().unwrap();
    daemon.wait().unwrap();

    let dir = podman_reference::monitor::RunDir::new(keep, run);
    let before = match dir.state().unwrap() {
        RunState::Running(init) => init,
        other => panic!("{other:?}"),
    };
    fs::write(dir.keep().parent().unwrap().join("rootfs/tmp/go"), "").unwrap();
    dir.wait(&Stop::default()).unwrap();
    let exit = match dir.state().unwrap() {
        RunState::Exited(exit) => exit,
        other => panic!("{other:?}"),
    };
    assert_eq!((exit.code, exit.monitor), (5, before.monitor));
    let log = fs::read_to_string(dir.log()).unwrap();
    assert!(log.lines().last().unwrap().ends_with("after"), "{log}");
    // The killed daemon could not.
    fs::remove_dir_all(dir.keep().parent().unwrap()).unwrap();
}

fn play_daemon(orders: &str) {
    let script = "echo before; while ! test -e /tmp/go; do sleep 0.02; done; echo after; exit 5";
    let fixture = std::mem::ManuallyDrop::new(Fixture::shell(script));
    fixture.start().unwrap();
    let text = format!(
        "{}\n{}\n",
        fixture.dir.keep().display(),
        fixture.dir.run().display()
    );
    fs::write(format!("{orders}.tmp"), text).unwrap();
    fs::rename(format!("{orders}.tmp"), orders).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

fn kill_monitor(init: &Init) {
    init.monitor
        .open()
        .unwrap()
        .unwrap()
        .send(Signal::KILL)
        .unwrap();
    wait_until(|| (!init.monitor.is_alive()).then_some(()));
}

#[test]
fn a_container_whose_monitor_was_killed_runs_on_and_ends_with_the_unknown_code() {
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    let init = fixture.start().unwrap();
    kill_monitor(&init);
    assert_eq!(
        fixture.dir.state().unwrap(),
        RunState::Orphaned(init.clone())
    );
    fixture.dir.signal(Signal::KILL).unwrap();
    fixture.dir.wait(&Stop::default()).unwrap();
    assert_eq!(fixture.dir.state().unwrap(), RunState::Lost(init));
    supervise::clear(&fixture.dir, &fixture.setup.id).unwrap();
    fixture.assert_nothing_left();
}

#[test]
fn clearing_kills_a_container_without_a_monitor() {
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    let init = fixture.start().unwrap();
    assert!(
        supervise::clear(&fixture.dir, &fixture.setup.id).is_err(),
        "it runs"
    );
    kill_monitor(&init);
    supervise::clear(&fixture.dir, &fixture.setup.id).unwrap();
    assert!(!init.process.is_alive());
    fixture.assert_nothing_left();
}

fn wait_until<T>(mut done: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(result) = done() {
            return result;
        }
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }
}
