//! No line of output is lost.

use podman_reference::{
    monitor::log::{Batch, Follow, Followed},
    sys::wait::Stop,
};
use rstest::rstest;

use crate::fixture::Fixture;

#[test]
fn a_thousand_lines_and_an_exit_are_all_in_the_log() {
    let fixture = Fixture::command(&["/bin/seq", "1000"]);
    let expected: Vec<String> = (1..=1000).map(|n| n.to_string()).collect();
    for _ in 0..5 {
        assert_eq!(fixture.run(), 0);
    }
    let lines = fixture.lines();
    assert_eq!(lines.len(), 5000);
    lines.chunks(1000).for_each(|run| assert_eq!(run, expected));
}

#[test]
fn both_streams_and_an_unfinished_line_are_in_the_log() {
    let fixture = Fixture::shell("echo out; echo err >&2; echo -n end");
    assert_eq!(fixture.output(), ["out", "err", "end"]);
}

#[test]
fn following_ends_after_the_last_line_of_the_run() {
    let fixture = Fixture::shell("for i in 1 2 3 4 5; do echo $i; sleep 0.02; done; seq 6 2000");
    fixture.start().unwrap();
    let mut follow = Follow::open(&fixture.dir).unwrap();
    let (mut batch, mut lines) = (Batch::default(), Vec::new());
    while follow.next_batch(&mut batch, &Stop::default()).unwrap() == Followed::Lines {
        assert!(!batch.is_empty());
        lines.extend(batch.lines().map(str::to_owned));
    }
    lines.extend(batch.lines().map(str::to_owned));
    assert_eq!(lines, (1..=2000).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn following_stops_when_told_to() {
    let fixture = Fixture::command(&["/bin/sleep", "1000"]);
    fixture.start().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(writer);
    let stop = Stop {
        hang_up: None,
        readable: Some(std::os::fd::AsFd::as_fd(&reader)),
    };
    let mut follow = Follow::open(&fixture.dir).unwrap();
    let followed = follow.next_batch(&mut Batch::default(), &stop).unwrap();
    assert_eq!(followed, Followed::Stopped);
}

#[rstest]
#[case::nothing("true", "")]
#[case::one_line("echo once", "once\n")]
#[case::an_unfinished_line("echo once; echo -n twice", "once\ntwice\n")]
fn following_what_does_not_run_ends_at_once_with_what_is_there(
    #[case] script: &str,
    #[case] text: &str,
) {
    let fixture = Fixture::shell(script);
    fixture.run();
    let mut follow = Follow::open(&fixture.dir).unwrap();
    let mut batch = Batch::default();
    let mut next = || {
        let followed = follow.next_batch(&mut batch, &Stop::default()).unwrap();
        (followed, batch.text().to_owned())
    };
    assert_eq!(next(), (Followed::Last, text.to_owned()));
    assert_eq!(next(), (Followed::Last, String::new()));
}

#[test]
fn a_line_does_not_wait_for_the_end() {
    let fixture = Fixture::shell("echo here; sleep 1000");
    fixture.start().unwrap();
    let mut follow = Follow::open(&fixture.dir).unwrap();
    let mut batch = Batch::default();
    let followed = follow.next_batch(&mut batch, &Stop::default()).unwrap();
    assert_eq!((followed, batch.text()), (Followed::Lines, "here\n"));
}
