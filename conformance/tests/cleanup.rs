//! Clean-up runs in reverse order, whatever happened before it, and changes no verdict.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use predicates::str::contains;
use rstest::rstest;
use serde_json::{Value, json};
use service::{Service, reply};

type Removed = Arc<Mutex<Vec<String>>>;

/// A service that notes what is removed; `Hang` is never answered.
fn recording() -> (Service, Removed) {
    let removed = Removed::default();
    let seen = Arc::clone(&removed);
    let service = Service::answering(move |method, parameters: &Value| match method {
        "org.example.test.Remove" => {
            seen.lock()
                .unwrap()
                .push(parameters["name"].as_str().unwrap().to_owned());
            reply(json!({}))
        }
        "org.example.test.RemoveGone" => vec![json!({"error": "org.example.test.ThingNotFound"})],
        "org.example.test.RemoveStuck" => vec![json!({"error": "org.example.test.Stuck"})],
        "org.example.test.Hang" => Vec::new(),
        _ => reply(json!({"id": "made"})),
    });
    (service, removed)
}

const SET_UP: &str = "@cleanup
$ varlink call org.example.test.Remove '{\"name\": \"first\"}'

$ varlink call org.example.test.Make
{ \"id\": \"{{id-of-it = string}}\" }

@cleanup
$ varlink call org.example.test.Remove '{\"name\": \"{{id-of-it}}\"}'

";

#[rstest]
#[case::success("$ varlink call org.example.test.Make\n{ \"id\": \"made\" }", 0)]
#[case::failure("$ varlink call org.example.test.Make\n{ \"id\": \"other\" }", 1)]
#[case::timeout("$ varlink call org.example.test.Hang\n{}", 1)]
fn clean_up_runs_in_reverse_order_after(#[case] rest: &str, #[case] code: i32) {
    let (service, removed) = recording();
    service.scenario("Test/one", "", &format!("{SET_UP}{rest}"));
    service.run().assert().code(code);
    assert_eq!(*removed.lock().unwrap(), ["made", "first"]);
}

#[test]
fn a_step_whose_name_was_never_captured_is_passed_over_and_one_not_reached_too() {
    let (service, removed) = recording();
    let transcript = "@cleanup
$ varlink call org.example.test.Remove '{\"name\": \"{{thing}}\"}'

$ varlink call org.example.test.Make
{ \"id\": \"{{thing = /other/}}\" }

@cleanup
$ varlink call org.example.test.Remove '{\"name\": \"second\"}'
";
    service.scenario("Test/one", "", transcript);
    service.run().assert().code(1);
    assert_eq!(*removed.lock().unwrap(), [""; 0]);
}

#[rstest]
#[case::gone("RemoveGone", "conforms: 3 passed in")]
#[case::stuck("RemoveStuck", "1 could not be cleaned up")]
#[case::hanging("Hang", "1 could not be cleaned up")]
fn a_failed_clean_up_is_reported_apart(#[case] method: &str, #[case] said: &str) {
    let (service, _) = recording();
    let transcript = format!(
        "@cleanup\n$ varlink call org.example.test.{method}\n\n$ varlink call org.example.test.Make\n{{ \"id\": \"made\" }}"
    );
    service.scenario("Test/one", "", &transcript);
    service.run().assert().code(0).stdout(contains(said));
}

fn start(service: &Service) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_varlink-conformance"))
        .args(["run", &service.address(), "--timeout", "30", "--suite"])
        .arg(service.suite())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &std::process::Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[rstest]
#[case(Signal::SIGINT)]
#[case(Signal::SIGTERM)]
fn an_interrupt_ends_the_run_soon_and_cleans_up(#[case] by: Signal) {
    let (service, removed) = recording();
    let transcript = format!("{SET_UP}$ varlink call org.example.test.Hang\n{{}}");
    service.scenario("Test/one", "", &transcript);
    let mut run = start(&service);
    thread::sleep(Duration::from_millis(700));
    let started = Instant::now();
    signal(&run, by);
    let status = run.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(*removed.lock().unwrap(), ["made", "first"]);
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let (service, _) = recording();
    let transcript = "@cleanup\n$ varlink call org.example.test.Hang\n\n$ varlink call org.example.test.Hang\n{}";
    service.scenario("Test/one", "", transcript);
    let mut run = start(&service);
    thread::sleep(Duration::from_millis(700));
    signal(&run, Signal::SIGINT);
    thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    signal(&run, Signal::SIGINT);
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(5));
}
