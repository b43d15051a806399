//! Each kind of step does what the scenario language says, seen from a service's side.

mod service;

use std::{
    io::{BufReader, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use predicates::{prelude::PredicateBooleanExt, str::contains};
use rstest::rstest;
use serde_json::{Value, json};
use service::{PING, Service, frame, info, reply, send};

fn stream_of(count: u64) -> Vec<Value> {
    (1..=count)
        .map(|n| json!({"parameters": {"n": [n]}, "continues": n < count}))
        .collect()
}

/// A service with methods for every kind of step.
fn versatile() -> Service {
    let calls = AtomicUsize::new(0);
    Service::answering(move |method, parameters| match method {
        "org.example.test.Ping" => reply(json!({"message": "OK"})),
        "org.example.test.Echo" => reply(json!({"echo": parameters})),
        "org.example.test.Stream" => stream_of(3),
        "org.example.test.Quiet" => Vec::new(),
        "org.example.test.Slow" => {
            thread::sleep(Duration::from_millis(300));
            reply(json!({}))
        }
        "org.example.test.Third" => match calls.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => vec![json!({"error": "org.example.test.NotYet"})],
            _ => reply(json!({})),
        },
        _ => vec![
            json!({"error": "org.varlink.service.MethodNotFound", "parameters": {"method": method}}),
        ],
    })
}

const CALL: &str = "$ varlink call org.example.test";

#[rstest]
#[case::a_reply("{CALL}.Ping\n{ \"message\": \"OK\" }")]
#[case::parameters_and_captures(
    "{CALL}.Echo '{\"x\": [1, 2]}'\n{ \"echo\": { \"x\": \"{{it = array}}\" } }\n\n{CALL}.Echo '{\"y\": \"{{it}}\"}'\n{ \"echo\": { \"y\": [1, 2] } }"
)]
#[case::an_error(
    "{CALL}.No\n! org.varlink.service.MethodNotFound\n{ \"method\": \"org.example.test.No\" }"
)]
#[case::a_whole_message("{CALL}.Ping\n< { \"parameters\": { \"message\": \"OK\" } }")]
#[case::several_replies("{CALL_M}.Stream\n{ \"n\": [1] }\n{ \"n\": [2] }\n{ \"n\": [3] }")]
#[case::collected("@collect\n{CALL_M}.Stream\n{ \"n\": [1, 2, 3] }")]
#[case::second_alternative(
    "{CALL}.No\n{ \"message\": \"OK\" }\n@or\n! org.varlink.service.MethodNotFound"
)]
#[case::longer_alternative(
    "{CALL_M}.Stream\n{ \"n\": [7] }\n@or\n{ \"n\": [1] }\n{ \"n\": [2] }\n{ \"n\": [3] }"
)]
#[case::retried("@retry 5s\n{CALL}.Third\n{}")]
#[case::many_times(
    "@times 50\n{CALL}.Echo '{\"n\": \"{{index}}\"}'\n{ \"echo\": { \"n\": \"{{index}}\" } }"
)]
#[case::oneway("{CALL_ONEWAY}.Quiet\n\n{CALL}.Ping\n{ \"message\": \"OK\" }")]
#[case::slow_enough("@within 300ms..1900ms\n{CALL}.Slow\n{}")]
#[case::in_the_background(
    "@background b\n{CALL}.Slow\n\n{CALL}.Ping\n{ \"message\": \"OK\" }\n\n@running b\n\n@sleep 500ms\n\n@within 300ms..480ms\n@join b\n{}"
)]
#[case::raw("> {\"method\": \"org.example\n> .test.Ping\"}\\0\n{ \"message\": \"OK\" }")]
#[case::pipelined(
    "> {\"method\": \"org.example.test.Ping\"}\\0{\"method\": \"org.example.test.No\"}\\0\n{ \"message\": \"OK\" }\n! org.varlink.service.MethodNotFound"
)]
#[case::half_closed(
    "> {\"method\": \"org.example.test.Ping\"}\\0\n\n@half-close\n{ \"message\": \"OK\" }\n< closed"
)]
#[case::silent(
    "> {\"method\": \"org.example.test.Ping\"}\n< silent 100ms\n\n> \\0\n{ \"message\": \"OK\" }"
)]
#[case::opened_anew(
    "{CALL}.Ping\n{ \"message\": \"OK\" }\n\n@close\n\n{CALL}.Ping\n{ \"message\": \"OK\" }"
)]
#[case::two_connections(
    "> {\"method\": \"org.example.test.Ping\"}\n< silent 50ms\n\n@connection other\n{CALL}.Ping\n{ \"message\": \"OK\" }\n\n> \\0\n{ \"message\": \"OK\" }"
)]
fn a_step_that_holds_passes(#[case] transcript: &str) {
    let service = versatile();
    service.scenario("Test/step", "", &expanded(transcript));
    service
        .run()
        .assert()
        .code(0)
        .stdout(contains("conforms: 3 passed"));
}

#[rstest]
#[case::wrong_member("{CALL}.Ping\n{ \"message\": \"ok\" }", "\"OK\"")]
#[case::error_instead(
    "{CALL}.No\n{}",
    "failed with org.varlink.service.MethodNotFound, expected a reply"
)]
#[case::reply_instead(
    "{CALL}.Ping\n! org.example.test.Broken",
    "succeeded, expected the error org.example.test.Broken"
)]
#[case::other_error(
    "{CALL}.No\n! org.example.test.Broken",
    "failed with org.varlink.service.MethodNotFound, expected the error"
)]
#[case::too_few_replies(
    "{CALL_M}.Stream\n{ \"n\": [1] }\n{ \"n\": [2] }",
    "though no further one is expected"
)]
#[case::too_many_replies(
    "{CALL_M}.Stream\n{ \"n\": [1] }\n{ \"n\": [2] }\n{ \"n\": [3] }\n{ \"n\": [4] }",
    "though further ones are expected"
)]
#[case::continues_unasked(
    "{CALL}.Stream\n{ \"n\": [1] }",
    "though the call did not ask for several"
)]
#[case::no_alternative(
    "{CALL}.Ping\n{ \"message\": 1 }\n@or\n{ \"message\": 2 }",
    "none of 2 alternatives holds"
)]
#[case::retried_in_vain("@retry 100ms\n{CALL}.No\n{}", "attempts in 0.")]
#[case::too_slow("@within 100ms\n{CALL}.Slow\n{}", "expected within 0.100 s")]
#[case::too_fast(
    "@within 100ms..1s\n{CALL}.Ping\n{ \"message\": \"OK\" }",
    "expected not before 0.100 s"
)]
#[case::joined_too_late(
    "@background b\n{CALL}.Slow\n\n@within 10ms\n@join b\n{}",
    "expected within 0.010 s"
)]
#[case::answered_already(
    "@background b\n{CALL}.Ping\n\n@sleep 200ms\n\n@running b\n\n@join b\n{ \"message\": \"OK\" }",
    "expected the call to go on"
)]
#[case::not_silent(
    "{CALL}.Ping\n{ \"message\": \"OK\" }\n< silent 100ms\n\n> {\"method\": \"org.example.test.Ping\"}\\0\n< silent 500ms",
    "a reply came, expected nothing"
)]
#[case::not_closed("{CALL}.Ping\n< closed", "expected the end of the connection")]
#[case::the_last_of_many(
    "@times 3\n{CALL}.Echo '{\"n\": \"{{index}}\"}'\n{ \"echo\": { \"n\": \"{{int < 2}}\" } }",
    "n"
)]
fn a_step_that_does_not_hold_fails_with_the_reason(#[case] transcript: &str, #[case] why: &str) {
    let service = versatile();
    service.scenario("Test/step", "", &expanded(transcript));
    let run = service.run().assert().code(1);
    run.stdout(contains("does not conform: 1 ").and(contains(why)));
}

fn expanded(transcript: &str) -> String {
    transcript
        .replace("{CALL_M}", "$ varlink call -m org.example.test")
        .replace("{CALL_ONEWAY}", "$ varlink call --oneway org.example.test")
        .replace("{CALL}", CALL)
}

#[test]
fn each_case_of_a_table_has_its_verdict() {
    let service = versatile();
    let cases = "[[cases]]\nname = \"good\"\nwanted = \"OK\"\n\n[[cases]]\nname = \"bad\"\nwanted = \"KO\"\n";
    let transcript = "$ varlink call org.example.test.Ping\n{ \"message\": \"{{wanted}}\" }";
    service.scenario("Test/table", cases, transcript);
    let run = service.run().arg("-v").assert().code(1);
    run.stdout(contains("pass    must   Test/table[good]"))
        .stdout(contains("FAIL    must   Test/table[bad]"))
        .stdout(contains("--filter 'Test/table[bad]'"));
    let run = service
        .run()
        .args(["--filter", "Test/table[good]"])
        .assert()
        .code(0);
    run.stdout(contains("3 passed"));
}

#[test]
fn names_are_unique_to_the_run_and_the_scenario() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let names = Arc::clone(&seen);
    let service = Service::answering(move |_, parameters| {
        names
            .lock()
            .unwrap()
            .push(parameters["name"].as_str().unwrap().to_owned());
        reply(json!({}))
    });
    let transcript = "$ varlink call org.example.test.Make '{\"name\": \"{{unique}}\"}'\n{}";
    service
        .scenario("Test/one", "", transcript)
        .scenario("Test/two", "", transcript);
    service.run().args(["--repeat", "2"]).assert().code(0);
    service.run().assert().code(0);
    let mut names = seen.lock().unwrap().clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn an_end_that_was_not_expected_fails_the_next_step() {
    let service = Service::with(|mut stream: UnixStream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        if frame(&mut reader).is_some() {
            send(&mut stream, &reply(json!({"message": "OK"}))[0]);
        }
    });
    service.scenario(
        "Test/goes-on",
        "",
        &format!("{PING}\n\n@sleep 100ms\n\n{PING}"),
    );
    let run = service.run().assert().code(1);
    run.stdout(contains(
        "the endpoint closed the connection, expected a reply",
    ));
}

#[test]
fn what_the_endpoint_says_of_itself_is_shown() {
    let service = Service::with(|mut stream: UnixStream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while frame(&mut reader).is_some() {
            send(&mut stream, &info(&["org.varlink.service"]));
            let _ = stream.flush();
        }
    });
    let transcript = "$ varlink call org.varlink.service.GetInfo\n{ \"vendor\": \"Example\", \"...\": \"{{any}}\" }";
    service.scenario("Test/info", "", transcript);
    service
        .run()
        .assert()
        .code(0)
        .stdout(contains("(Example Test 1)"));
}
