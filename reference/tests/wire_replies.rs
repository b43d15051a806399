//! Every call is answered in its turn, and a oneway call never.

mod support;

use rstest::rstest;
use serde_json::json;
use support::{Daemon, PING, pong};

#[test]
fn a_thousand_calls_in_one_write_are_answered_in_order() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    let call = |number: i32| format!("{}\0", json!({"method": format!("a.b.N{number}")}));
    let calls: String = (0..1000).map(call).collect();
    client.send_raw(calls.as_bytes());
    for number in 0..1000 {
        let reply = client.receive().unwrap();
        assert_eq!(
            reply["error"], "org.varlink.service.InterfaceNotFound",
            "{number}"
        );
    }
    client.ping();
}

#[test]
fn pipelined_answers_belong_to_their_calls() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    let call = |number| {
        let method = format!("io.projectatomic.podman.N{number}");
        format!("{}\0", json!({"method": method}))
    };
    let calls: String = (0..1000).map(call).collect();
    client.send_raw(calls.as_bytes());
    for number in 0..1000 {
        let expected = format!("io.projectatomic.podman.N{number}");
        assert_eq!(client.receive().unwrap()["parameters"]["method"], expected);
    }
}

#[rstest]
#[case::answered(json!({"method": "io.projectatomic.podman.Ping", "oneway": true}))]
#[case::with_more(json!({"method": "io.projectatomic.podman.Ping", "oneway": true, "more": true}))]
#[case::unknown_method(json!({"method": "io.projectatomic.podman.Nope", "oneway": true}))]
#[case::unknown_interface(json!({"method": "a.b.C", "oneway": true}))]
#[case::wrong_parameter(json!({"method": "io.projectatomic.podman.GetContainer", "oneway": true, "parameters": {"name": 1}}))]
#[case::wrong_member(json!({"method": 7, "oneway": true}))]
fn a_oneway_call_is_never_answered(#[case] call: serde_json::Value) {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send(&call.to_string());
    client.send(PING);
    client.half_close();
    assert_eq!(client.receive(), Some(pong()));
    assert!(client.is_closed());
}

#[rstest]
#[case::method("io.projectatomic.podman.Ping")]
#[case::service_method("org.varlink.service.GetInfo")]
#[case::error("io.projectatomic.podman.Nope")]
fn more_on_a_method_that_does_not_stream_is_answered_once(#[case] method: &str) {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    let reply = client.ask(&json!({"method": method, "more": true}).to_string());
    assert_eq!(reply.get("continues"), None);
    client.ping();
}

#[rstest]
#[case::nulls(json!({"parameters": null, "oneway": null, "more": null, "upgrade": null}))]
#[case::falses(json!({"parameters": {}, "oneway": false, "more": false, "upgrade": false}))]
#[case::unknown_parameter(json!({"parameters": {"other": [1]}}))]
#[case::unknown_member(json!({"org.example.trace": {"id": 7}}))]
fn what_says_nothing_changes_nothing(#[case] mut call: serde_json::Value) {
    let daemon = Daemon::start();
    call["method"] = "io.projectatomic.podman.Ping".into();
    assert_eq!(daemon.connect().ask(&call.to_string()), pong());
}
