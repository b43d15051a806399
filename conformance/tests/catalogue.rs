//! `list`, `show`, `check` and `coverage` say what there is without an endpoint.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use predicates::str::{contains, is_match};
use service::{PING, conformance, write_scenario};

fn suite() -> tempfile::TempDir {
    let suite = tempfile::tempdir().unwrap();
    write_scenario(suite.path(), "Test/ping", "", PING);
    let cases =
        "level = \"should\"\n[[cases]]\nname = \"x\"\nv = 1\n\n[[cases]]\nname = \"y\"\nv = 2\n";
    write_scenario(
        suite.path(),
        "Test/table",
        cases,
        "$ varlink call a.b.C '{\"v\": \"{{v}}\"}'\n{}",
    );
    suite
}

#[test]
fn list_names_every_case_with_its_level_and_title() {
    let suite = suite();
    let mut list = conformance();
    list.args(["list", "--suite"])
        .arg(suite.path())
        .assert()
        .code(0)
        .stdout(
            "Test/ping      must    The title of Test/ping.\n\
         Test/table[x]  should  The title of Test/table.\n\
         Test/table[y]  should  The title of Test/table.\n",
        );
    let mut list = conformance();
    list.args(["list", "--filter", "no such*", "--suite"])
        .arg(suite.path())
        .assert()
        .code(4);
}

#[test]
fn show_prints_the_scenario_and_the_sentences_that_it_holds() {
    let suite = suite();
    for id in ["Test/table", "Test/table[y]"] {
        let mut show = conformance();
        let show = show
            .args(["show", id, "--suite"])
            .arg(suite.path())
            .assert()
            .code(0);
        show.stdout(contains("$ varlink call a.b.C"))
            .stdout(contains(
                "Wire-1 (must): Every message that the service sends",
            ));
    }
    conformance().args(["show", "No/such"]).assert().code(4);
}

#[test]
fn check_counts_scenarios_or_shows_all_mistakes_at_once() {
    let suite = suite();
    let mut check = conformance();
    check
        .arg("check")
        .arg(suite.path())
        .assert()
        .code(0)
        .stdout("2 scenarios, no mistakes\n");
    write_scenario(
        suite.path(),
        "Test/bad",
        "",
        "$ varlink call a.b.C\n{ \"x\" }",
    );
    write_scenario(suite.path(), "Test/worse", "", "nonsense");
    let mut check = conformance();
    let check = check
        .arg("check")
        .arg(suite.path())
        .assert()
        .code(2)
        .stdout("");
    check
        .stderr(contains("Test/bad.scenario:9:7"))
        .stderr(contains("Test/worse.scenario:8:1"))
        .stderr(contains("2 mistakes in the scenario files"));
    conformance()
        .args(["check", "/nonexistent"])
        .assert()
        .code(2);
}

#[test]
fn the_suites_that_ship_have_no_mistakes() {
    conformance()
        .arg("check")
        .assert()
        .code(0)
        .stdout(contains("no mistakes"));
}

#[test]
fn coverage_has_a_line_for_each_requirement_and_a_summary() {
    let coverage = conformance().arg("coverage").assert().code(0);
    coverage.stdout(contains("Wire-1  ")).stdout(
        is_match("[0-9]+ requirements: [0-9]+ covered, [0-9]+ not covered yet, 0 without").unwrap(),
    );
}

#[test]
fn a_reader_that_has_read_enough_is_not_told_of_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let list = std::process::Command::new(env!("CARGO_BIN_EXE_varlink-conformance"))
        .arg("list")
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&list.stderr), "");
}
