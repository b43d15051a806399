//! What runs, what does not and why, and the exit code that follows.

mod service;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use predicates::{prelude::PredicateBooleanExt, str::contains};
use rstest::rstest;
use serde_json::json;
use service::{PING, Service, conformance, reply};

const WRONG: &str = "$ varlink call org.example.test.Ping\n{ \"message\": \"other\" }";

fn ping() -> Service {
    Service::answering(|_, _| reply(json!({"message": "OK"})))
}

#[test]
fn a_service_that_conforms_ends_with_0() {
    let service = ping();
    service.scenario("Test/ping", "", PING);
    service
        .run()
        .assert()
        .code(0)
        .stdout(contains("conforms: 3 passed"));
}

#[rstest]
#[case("must", "must", 1)]
#[case("should", "must", 0)]
#[case("should", "should", 1)]
#[case("may", "should", 0)]
#[case("may", "may", 1)]
fn departures_gate_from_the_gate_level_up(
    #[case] level: &str,
    #[case] gate: &str,
    #[case] code: i32,
) {
    let service = ping();
    service.scenario("Test/wrong", &format!("level = \"{level}\"\n"), WRONG);
    service.run().args(["--level", gate]).assert().code(code);
}

#[test]
fn a_mistake_in_a_scenario_ends_with_2_and_nothing_runs() {
    let service = ping();
    service.scenario("Test/ping", "", PING);
    service.scenario(
        "Test/mistake",
        "",
        "$ varlink cal org.example.test.Ping\n{}",
    );
    let run = service.run().assert().code(2).stdout("");
    run.stderr(contains("Test/mistake.scenario:8:").and(contains("1 mistake")));
}

#[rstest]
#[case::scheme("/run/x", 2, "expected unix:PATH")]
#[case::nobody("unix:/nonexistent/socket", 3, "does not accept connections")]
#[case::no_name("unix:@no-such-name-of-a-socket", 3, "does not accept connections")]
#[case::no_port("tcp:127.0.0.1:1", 3, "does not accept connections")]
fn an_address_that_does_not_answer_is_named(
    #[case] address: &str,
    #[case] code: i32,
    #[case] why: &str,
) {
    let mut run = conformance();
    run.args(["run", address])
        .assert()
        .code(code)
        .stdout("")
        .stderr(contains(why).and(contains(address)));
}

#[test]
fn a_filter_that_matches_nothing_ends_with_4() {
    let service = ping();
    service.scenario("Test/ping", "", PING);
    let run = service.run().args(["--filter", "Tset/*"]).assert().code(4);
    run.stderr(contains("no scenario matches Tset/*"));
}

#[test]
fn a_run_of_which_everything_is_skipped_ends_with_4_and_the_reasons() {
    let service = ping();
    service.scenario("Test/alone", "needs = [\"exclusive\"]\n", PING);
    service.scenario(
        "Test/other",
        "needs = [\"interface:org.example.other\"]\n",
        PING,
    );
    service.scenario("Test/registry", "needs = [\"registry\"]\n", PING);
    service.scenario("Test/disk", "needs = [\"block-device\"]\n", PING);
    let run = service.run().arg("-v").assert().code(4);
    run.stdout(contains("give --exclusive"))
        .stdout(contains("does not serve org.example.other"))
        .stdout(contains("give --registry"))
        .stdout(contains("give --block-device"))
        .stdout(contains("nothing ran: 4 skipped"));
    service.run().arg("--exclusive").assert().code(0);
}

#[test]
fn a_block_device_is_the_one_that_the_user_names() {
    let service = Service::answering(|_, parameters| reply(parameters.clone()));
    let echo = "$ varlink call org.example.test.Echo '{\"device\": \"{{block_device}}\"}'\n{ \"device\": \"/dev/disk\" }";
    service.scenario("Test/disk", "needs = [\"block-device\"]\n", echo);
    let run = |name: &str| service.run().args(["--block-device", name]).assert();
    run("/dev/disk").code(0);
    run("/dev/other").code(1);
}

#[test]
fn an_image_that_cannot_be_brought_is_an_error_of_the_run_and_no_departure() {
    let service = Service::with(|mut stream| {
        let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
        while let Some(call) = service::frame(&mut reader) {
            let message = match String::from_utf8_lossy(&call).contains("GetInfo") {
                true => service::info(&["io.projectatomic.podman"]),
                false => json!({
                    "error": "io.projectatomic.podman.ErrorOccurred",
                    "parameters": {"reason": "no space"},
                }),
            };
            service::send(&mut stream, &message);
        }
    });
    service.scenario("Test/image", "needs = [\"image\"]\n", PING);
    let run = service.run().assert().code(3);
    run.stdout(contains(
        "could not bring the probe image to the endpoint: ImportImage",
    ))
    .stdout(contains("no space"));
}

#[test]
fn the_shards_of_a_run_take_every_scenario_once() {
    let service = ping();
    for name in ["a", "b", "c", "d", "e"] {
        service.scenario(&format!("Test/{name}"), "", PING);
    }
    let mut seen: Vec<String> = Vec::new();
    for shard in ["1/2", "2/2"] {
        let run = service
            .run()
            .args(["--shard", shard, "-v"])
            .assert()
            .code(0);
        let text = String::from_utf8(run.get_output().stdout.clone()).unwrap();
        let ids = text.lines().filter(|line| line.starts_with("pass    must"));
        seen.extend(
            ids.filter_map(|line| line.split_whitespace().nth(2))
                .map(str::to_owned),
        );
    }
    seen.sort();
    assert_eq!(seen, ["Test/a", "Test/b", "Test/c", "Test/d", "Test/e"]);
}

#[test]
fn a_report_that_cannot_be_written_ends_with_3() {
    let service = ping();
    service.scenario("Test/ping", "", PING);
    let run = service
        .run()
        .args(["--html", "/nonexistent/report.html"])
        .assert()
        .code(3);
    run.stderr(contains("cannot write /nonexistent/report.html"));
    service.run().args(["--json", "/dev/full"]).assert().code(3);
}

#[test]
fn scenarios_run_at_the_same_time() {
    let service = Service::answering(|_, _| {
        thread::sleep(Duration::from_millis(500));
        reply(json!({"message": "OK"}))
    });
    for number in 0..8 {
        service.scenario(&format!("Test/n{number}"), "", PING);
    }
    let started = Instant::now();
    service.run().args(["--jobs", "8"]).assert().code(0);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_scenario_that_needs_the_endpoint_for_itself_runs_alone() {
    let at_once = AtomicUsize::new(0);
    let service = Service::answering(move |method, _| {
        let others = at_once.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(100));
        at_once.fetch_sub(1, Ordering::SeqCst);
        match method {
            "org.example.test.Others" => reply(json!({"others": others})),
            _ => reply(json!({"message": "OK"})),
        }
    });
    let alone = "$ varlink call org.example.test.Others\n{ \"others\": 0 }";
    for number in 0..4 {
        service.scenario(&format!("Test/n{number}"), "", PING);
        service.scenario(
            &format!("Test/alone{number}"),
            "needs = [\"exclusive\"]\n",
            alone,
        );
    }
    service
        .run()
        .args(["--jobs", "8", "--exclusive"])
        .assert()
        .code(0);
}

#[test]
fn a_former_id_still_finds_its_scenario() {
    let service = ping();
    service.scenario("Test/new", "was = [\"Test/old\"]\n", PING);
    service.scenario("Test/other", "", WRONG);
    service
        .run()
        .args(["--filter", "Test/old"])
        .assert()
        .code(0);
}
