//! Whatever a service does, the run ends, in bounded memory, with a verdict.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use std::{
    io::{BufReader, Read, Write},
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

use predicates::str::contains;
use rstest::rstest;
use serde_json::json;
use service::{PING, Service, frame, reply, send};

const GET_MORE: &str = "@collect\n$ varlink call -m org.example.test.List\n{ \"list\": [] }";

fn hangs(stream: UnixStream) {
    thread::sleep(Duration::from_secs(60));
    drop(stream);
}

fn closes(stream: UnixStream) {
    drop(stream);
}

fn closes_after_reading(mut stream: UnixStream) {
    let _ = stream.read(&mut [0; 1000]);
}

fn sends_junk(mut stream: UnixStream) {
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\0\xff\xfe\0");
    thread::sleep(Duration::from_secs(60));
}

fn sends_no_object(mut stream: UnixStream) {
    let _ = stream.write_all(b"[]\0null\0");
    thread::sleep(Duration::from_secs(60));
}

fn stops_in_the_middle(mut stream: UnixStream) {
    let _ = stream.read(&mut [0; 1000]);
    let _ = stream.write_all(b"{\"parameters\": {\"mess");
}

fn never_ends_its_message(mut stream: UnixStream) {
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
}

fn drips(mut stream: UnixStream) {
    while stream.write_all(b" ").is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
}

fn never_stops_answering(mut stream: UnixStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while frame(&mut reader).is_some() {
        let part = json!({"parameters": {"list": ["x"]}, "continues": true}).to_string();
        let parts = format!("{part}\0").repeat(1000);
        while stream.write_all(parts.as_bytes()).is_ok() {}
    }
}

fn nests_deeply(mut stream: UnixStream) {
    let _ = stream.read(&mut [0; 1000]);
    let depth = 100_000;
    let text = format!("{}{}\0", "[".repeat(depth), "]".repeat(depth));
    let _ = stream.write_all(format!("{{\"parameters\": {text}").as_bytes());
    thread::sleep(Duration::from_secs(60));
}

#[rstest]
#[case::hangs(hangs, PING, "nothing came in time")]
#[case::closes(closes, PING, "the endpoint closed the connection")]
#[case::closes_after_reading(closes_after_reading, PING, "the endpoint closed the connection")]
#[case::junk(sends_junk, PING, "FAIL")]
#[case::no_object(sends_no_object, PING, "FAIL")]
#[case::stops(stops_in_the_middle, PING, "after 21 bytes of an unfinished message")]
#[case::flood(never_ends_its_message, PING, "FAIL")]
#[case::drips(drips, PING, "nothing came in time")]
#[case::replies(never_stops_answering, PING, "FAIL")]
#[case::collected_replies(never_stops_answering, GET_MORE, "FAIL")]
#[case::nesting(nests_deeply, PING, "the message is not JSON")]
fn a_hostile_service_gets_a_verdict(
    #[case] behaviour: fn(UnixStream),
    #[case] transcript: &str,
    #[case] said: &str,
) {
    let service = Service::with(behaviour);
    service
        .scenario("Test/one", "", transcript)
        .scenario("Test/two", "", transcript);
    let mut run = service.run();
    let run = run.timeout(Duration::from_secs(60)).assert().code(1);
    let said = if said == "FAIL" {
        contains("does not conform: 2 ")
    } else {
        contains(said)
    };
    run.stdout(said);
}

#[test]
fn a_flood_does_not_fill_the_memory() {
    let service = Service::with(never_ends_its_message);
    for number in 0..4 {
        service.scenario(&format!("Test/n{number}"), "", PING);
    }
    let run = service.run();
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // Four frames of 64 MiB, and the address space of the threads.
    let limited = format!("ulimit -v 1500000; exec {}", shell_words::join(words));
    let mut run = assert_cmd::Command::new("/bin/sh");
    run.args(["-c", &limited])
        .timeout(Duration::from_secs(60))
        .assert()
        .code(1);
}

#[test]
fn a_service_that_does_not_read_holds_no_sender() {
    let service = Service::with(hangs);
    let call = "$ varlink call org.example.test.Ping '{\"text\": \"{{repeat 'x' 4000000}}\"}'\n{}";
    service.scenario("Test/long", "", call);
    let mut run = service.run();
    let run = run.timeout(Duration::from_secs(60)).assert().code(1);
    run.stdout(contains("the endpoint did not read"));
}

#[test]
fn a_flood_in_the_background_ends_with_the_scenario() {
    let service = Service::with(never_stops_answering);
    let transcript = "@background more\n$ varlink call -m org.example.test.List\n\n@sleep 300ms\n\n\
        @join more\n{ \"list\": [] }";
    service.scenario("Test/background", "", transcript);
    service
        .run()
        .timeout(Duration::from_secs(60))
        .assert()
        .code(1);
}

#[test]
fn a_reply_too_many_is_noticed() {
    let service =
        Service::answering(|_, _| [reply(json!({"message": "OK"})), reply(json!({}))].concat());
    service.scenario("Test/twice", "", PING);
    let run = service.run().assert().code(1);
    run.stdout(contains("a message came that no call asked for"));
}

#[test]
fn an_answer_to_a_oneway_call_is_noticed() {
    let service = Service::answering(|_, _| reply(json!({"message": "OK"})));
    let oneway = format!("$ varlink call --oneway org.example.test.Ping\n\n{PING}");
    service.scenario("Test/then-a-call", "", &oneway);
    let run = service.run().assert().code(1);
    run.stdout(contains("a message came that no call asked for"));
}

#[test]
fn a_service_that_dies_in_the_run_fails_what_comes_after_and_the_run_goes_on() {
    let service = Service::answering(|_, _| reply(json!({"message": "OK"})));
    let socket = service.folder().join("socket");
    let transcript = format!("{PING}\n\n@close\n\n@sleep 600ms\n\n{PING}");
    service
        .scenario("Test/one", "", &transcript)
        .scenario("Test/two", "", &transcript);
    let remove = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        std::fs::remove_file(socket).unwrap();
    });
    let run = service.run().assert().code(1);
    run.stdout(contains("does not accept connections").count(2))
        .stdout(contains("it did when the run began"))
        .stdout(contains("2 failed"));
    remove.join().unwrap();
}

#[test]
fn a_slow_service_is_waited_for_until_the_deadline_and_not_longer() {
    let service = Service::with(|mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while frame(&mut reader).is_some() {
            thread::sleep(Duration::from_millis(400));
            send(&mut stream, &reply(json!({"message": "OK"}))[0]);
        }
    });
    service.scenario("Test/slow", "", PING);
    service.scenario("Test/bounded", "timeout = \"200ms\"\n", PING);
    let run = service.run().args(["--filter", "Test/slow"]).assert();
    run.code(0);
    let run = service.run().args(["--filter", "Test/bounded"]).assert();
    run.code(1).stdout(contains("TIMEOUT"));
}
