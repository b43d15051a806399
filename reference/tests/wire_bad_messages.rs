//! A bad message costs its sender an error, not the connection.

mod support;

use rstest::rstest;
use serde_json::json;
use support::{Daemon, invalid};

#[rstest]
#[case::empty(b"", "message")]
#[case::white_space(b"  ", "message")]
#[case::cut(b"{", "message")]
#[case::array(b"[]", "message")]
#[case::null(b"null", "message")]
#[case::number(b"7", "message")]
#[case::two_objects(b"{\"method\":\"io.projectatomic.podman.Ping\"}{}", "message")]
#[case::not_utf8(
    b"{\"method\":\"io.projectatomic.podman.Ping\",\"x\":\"\xff\"}",
    "message"
)]
#[case::no_method(b"{}", "method")]
#[case::null_method(b"{\"method\":null}", "method")]
#[case::number_method(b"{\"method\":3}", "method")]
#[case::no_dot(b"{\"method\":\"Ping\"}", "method")]
#[case::no_interface(b"{\"method\":\".Ping\"}", "method")]
#[case::more(b"{\"method\":\"io.projectatomic.podman.Ping\",\"more\":1}", "more")]
#[case::oneway(
    b"{\"method\":\"io.projectatomic.podman.Ping\",\"oneway\":\"true\"}",
    "oneway"
)]
#[case::upgrade(
    b"{\"method\":\"io.projectatomic.podman.Ping\",\"upgrade\":true}",
    "upgrade"
)]
#[case::parameters_in_order(
    b"{\"method\":\"io.projectatomic.podman.GetContainer\",\"parameters\":[\"x\"]}",
    "parameters"
)]
#[case::lone_surrogate(
    b"{\"method\":\"io.projectatomic.podman.GetContainer\",\"parameters\":{\"name\":\"\\ud800\"}}",
    "name"
)]
#[case::too_large(b"{\"method\":\"io.projectatomic.podman.KillContainer\",\"parameters\":{\"signal\":9223372036854775808}}", "signal")]
#[case::out_of_range(b"{\"method\":\"io.projectatomic.podman.CreateContainer\",\"parameters\":{\"create\":{\"resources\":{\"cpus\":1e400}}}}", "cpus")]
#[case::number_in_map(b"{\"method\":\"io.projectatomic.podman.CreateContainer\",\"parameters\":{\"create\":{\"env\":{\"A\":1}}}}", "env")]
fn it_names_what_is_at_fault(#[case] message: &[u8], #[case] parameter: &str) {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send_raw(&[message, b"\0"].concat());
    assert_eq!(client.receive(), Some(invalid(parameter)));
    client.ping();
}

#[test]
fn deep_nesting_ends_nothing() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = [open.repeat(100_000), "0".to_owned(), close.repeat(100_000)].concat();
        assert_eq!(client.ask(&deep), invalid("message"));
    }
    client.ping();
}

#[rstest]
#[case::method("io.projectatomic.podman.Nope", "MethodNotFound", json!({"method": "io.projectatomic.podman.Nope"}))]
#[case::other_case("io.projectatomic.podman.ping", "MethodNotFound", json!({"method": "io.projectatomic.podman.ping"}))]
#[case::nothing_after_the_dot("io.projectatomic.podman.", "MethodNotFound", json!({"method": "io.projectatomic.podman."}))]
#[case::service_method("org.varlink.service.Nope", "MethodNotFound", json!({"method": "org.varlink.service.Nope"}))]
#[case::interface("io.example.Foo.Bar", "InterfaceNotFound", json!({"interface": "io.example.Foo"}))]
#[case::interface_alone("io.projectatomic.podman", "InterfaceNotFound", json!({"interface": "io.projectatomic"}))]
fn what_is_not_there_is_named(
    #[case] method: &str,
    #[case] error: &str,
    #[case] parameters: serde_json::Value,
) {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    let expected =
        json!({"error": format!("org.varlink.service.{error}"), "parameters": parameters});
    assert_eq!(client.call(method, &json!({})), expected);
    client.ping();
}

#[test]
fn calls_before_a_bad_message_are_answered_first() {
    let daemon = Daemon::start();
    let mut client = daemon.connect();
    client.send_raw(format!("{}\0[\0{}\0", support::PING, support::PING).as_bytes());
    let got = [client.receive(), client.receive(), client.receive()];
    assert_eq!(
        got.map(Option::unwrap),
        [support::pong(), invalid("message"), support::pong()]
    );
}
