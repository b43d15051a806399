//! The end of a container is recorded, whatever it was.

use podman_reference::{
    monitor::{MonitorError, RunState},
    sys::process::Signal,
};
use rstest::rstest;

use crate::fixture::Fixture;

#[rstest]
#[case(0)]
#[case(7)]
#[case(255)]
fn the_exit_code_is_recorded(#[case] code: i32) {
    let fixture = Fixture::shell(&format!("exit {code}"));
    assert_eq!(fixture.run(), code);
    fixture.assert_nothing_left();
}

#[rstest]
#[case::kill(9)]
#[case::real_time(40)]
fn a_signal_that_ends_it_is_recorded_as_128_and_its_number(#[case] number: i32) {
    let signal = Signal::new(number).unwrap();
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    fixture.start().unwrap();
    if number != 9 {
        // Process 1 of a namespace ignores what it has no handler for; but not from outside, if forced.
        fixture.dir.signal(Signal::KILL).unwrap();
        assert_eq!(fixture.wait().signal, Some(Signal::KILL));
        return;
    }
    fixture.dir.signal(signal).unwrap();
    let exit = fixture.wait();
    assert_eq!((exit.code, exit.signal), (128 + number, Some(signal)));
    assert!(!exit.oom_killed);
}

#[test]
fn a_signal_reaches_a_program_that_handles_it() {
    let fixture = Fixture::shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
    fixture.start().unwrap();
    while fixture.lines().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    fixture.dir.signal(Signal::TERM).unwrap();
    assert_eq!(fixture.wait().code, 5);
}

#[test]
fn what_has_ended_is_not_signalled() {
    let fixture = Fixture::command(&["/bin/true"]);
    assert!(matches!(
        fixture.dir.signal(Signal::KILL),
        Err(MonitorError::NotRunning)
    ));
    assert_eq!(fixture.run(), 0);
    assert!(matches!(
        fixture.dir.signal(Signal::KILL),
        Err(MonitorError::NotRunning)
    ));
}

#[test]
fn it_can_be_started_again() {
    let fixture = Fixture::shell("test -e /tmp/mark && exit 1; echo > /tmp/mark; exit 2");
    assert_eq!(fixture.run(), 2);
    assert_eq!(fixture.run(), 1);
}

#[test]
fn children_that_hold_the_output_do_not_keep_it_alive() {
    let fixture = Fixture::shell("sleep 1000 & echo parent; exit 4");
    assert_eq!(fixture.run(), 4);
    assert_eq!(fixture.lines(), ["parent"]);
    fixture.assert_nothing_left();
}

#[test]
fn the_states_follow_each_other() {
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    assert_eq!(fixture.dir.state().unwrap(), RunState::NeverStarted);
    let init = fixture.start().unwrap();
    assert_eq!(fixture.dir.state().unwrap(), RunState::Running(init));
    fixture.dir.signal(Signal::KILL).unwrap();
    let exit = fixture.wait();
    assert_eq!(fixture.dir.state().unwrap(), RunState::Exited(exit));
}
