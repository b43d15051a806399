//! Every reply of every step is held against the interface definition.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use predicates::{prelude::PredicateBooleanExt, str::contains};
use rstest::rstest;
use serde_json::{Value, json};
use service::{Service, reply};

const INTERFACE: &str = "interface org.example.test
method List() -> (names: []string, labels: [string]string, count: int)
error Broken (why: string)
";

const ANYTHING: &str = "$ varlink call org.example.test.List\n{ \"...\": \"{{any}}\" }";

fn listing(parameters: Value) -> Service {
    let service = Service::answering(move |_, _| reply(parameters.clone()));
    std::fs::write(service.folder().join("interface.varlink"), INTERFACE).unwrap();
    service
        .scenario("Test/one", "", ANYTHING)
        .scenario("Test/two", "", ANYTHING);
    service
}

fn run(service: &Service) -> assert_cmd::Command {
    let mut run = service.run();
    run.arg("--interface")
        .arg(service.folder().join("interface.varlink"))
        .arg("-v");
    run
}

#[test]
fn null_for_an_empty_collection_fails_no_scenario_but_is_one_finding_of_the_run() {
    let service = listing(json!({"names": null, "labels": null, "count": 1}));
    let run = run(&service).assert().code(1);
    run.stdout(contains("pass    must   Test/one"))
        .stdout(contains("FAIL    should idl/null-collection"))
        .stdout(contains("List.labels is null, 2 times"))
        .stdout(contains("List.names is null, 2 times"))
        .stdout(contains("Reply-2:"))
        .stdout(contains("1 failed, 3 passed"));
}

#[test]
fn below_the_gate_level_it_is_reported_and_does_not_count() {
    let service = listing(json!({"names": null, "labels": {}, "count": 1}));
    let run = run(&service).args(["--level", "must"]).assert().code(0);
    run.stdout(contains("fail    should idl/null-collection"))
        .stdout(contains("1 failed below the gate level"));
}

#[test]
fn a_member_beyond_the_definition_is_reported_and_does_not_gate() {
    let service = listing(json!({"names": [], "labels": {}, "count": 1, "more": 1}));
    let run = run(&service).assert().code(0);
    run.stdout(contains("fail    may    idl/extra-member"))
        .stdout(contains(
            "List.more is not in the interface definition, 2 times",
        ));
}

#[rstest]
#[case::missing(json!({"names": [], "labels": {}}), "member \"count\" is missing")]
#[case::wrong(json!({"names": [1], "labels": {}, "count": 1}), "member \"names[0]\" is the number 1, expected a string")]
#[case::null(json!({"names": [], "labels": {}, "count": null}), "member \"count\" is null, expected an int")]
#[case::fraction(json!({"names": [], "labels": {}, "count": 5.0}), "member \"count\" is the number 5.0, expected an int")]
fn what_a_client_would_trip_over_fails_the_scenario(#[case] parameters: Value, #[case] why: &str) {
    let service = listing(parameters);
    let run = run(&service).assert().code(1);
    run.stdout(
        contains(why)
            .and(contains("Reply-1:"))
            .and(contains("2 failed, 2 passed")),
    );
}

#[test]
fn an_error_that_nobody_declares_fails_the_scenario() {
    let service = Service::answering(|_, _| vec![json!({"error": "org.example.other.Broken"})]);
    std::fs::write(service.folder().join("interface.varlink"), INTERFACE).unwrap();
    service.scenario(
        "Test/one",
        "",
        "$ varlink call org.example.test.List\n! org.example.other.Broken",
    );
    let run = run(&service).assert().code(1);
    run.stdout(
        contains("the error org.example.other.Broken is declared neither")
            .and(contains("Reply-4:")),
    );
}

#[test]
fn an_interface_file_with_a_mistake_is_refused_before_anything_runs() {
    let service = listing(json!({}));
    std::fs::write(service.folder().join("interface.varlink"), "interface").unwrap();
    run(&service).assert().code(2).stdout("");
}
