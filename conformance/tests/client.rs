//! `call` is a small varlink client.

mod service;

use predicates::str::contains;
use rstest::rstest;
use serde_json::json;
use service::{Service, conformance, reply};

fn answering() -> Service {
    Service::answering(|method, parameters| match method {
        "org.example.test.Echo" => reply(parameters.clone()),
        "org.example.test.Count" => [1, 2]
            .map(|n| json!({"parameters": {"n": n}, "continues": n < 2}))
            .into(),
        _ => vec![json!({"error": "org.example.test.Broken", "parameters": {"why": "x"}})],
    })
}

fn call(service: &Service, method: &str) -> assert_cmd::Command {
    let mut call = conformance();
    call.arg("call")
        .arg(format!("{}/org.example.test.{method}", service.address()));
    call
}

#[test]
fn a_reply_is_printed_as_json() {
    let call = call(&answering(), "Echo")
        .arg("{\"b\": [1], \"a\": 2}")
        .assert()
        .code(0);
    call.stdout("{\n  \"b\": [\n    1\n  ],\n  \"a\": 2\n}\n");
}

#[test]
fn several_replies_are_printed_as_they_come() {
    let call = call(&answering(), "Count").arg("-m").assert().code(0);
    call.stdout("{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n");
}

#[test]
fn an_error_goes_to_standard_error_and_ends_with_1() {
    let call = call(&answering(), "No").assert().code(1).stdout("");
    call.stderr(contains("org.example.test.Broken\n{\n  \"why\": \"x\"\n}"));
}

#[test]
fn a_oneway_call_waits_for_nothing() {
    call(&answering(), "No")
        .arg("--oneway")
        .assert()
        .code(0)
        .stdout("")
        .stderr("");
}

#[rstest]
#[case("org.example.test.Echo", "expected ADDRESS/METHOD")]
#[case("unix:/x/Echo", "no method")]
#[case("http:/x/org.example.test.Echo", "expected unix:PATH")]
fn a_target_that_is_none_ends_with_2(#[case] target: &str, #[case] why: &str) {
    conformance()
        .args(["call", target])
        .assert()
        .code(2)
        .stderr(contains(why));
}

#[test]
fn parameters_that_are_no_object_end_with_2() {
    call(&answering(), "Echo")
        .arg("[1]")
        .assert()
        .code(2)
        .stderr(contains("not a JSON object"));
}

#[test]
fn no_answer_ends_with_3() {
    let mut nobody = conformance();
    nobody
        .args(["call", "unix:/nonexistent/a.b.C"])
        .assert()
        .code(3);
    let closing = Service::with(drop);
    call(&closing, "Echo")
        .assert()
        .code(3)
        .stderr(contains("closed the connection"));
    let hanging = Service::with(|_stream| std::thread::sleep(std::time::Duration::from_secs(60)));
    call(&hanging, "Echo")
        .args(["--timeout", "1"])
        .assert()
        .code(3);
}
