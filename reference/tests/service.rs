//! org.varlink.service, complete.

mod support;

use serde_json::{Value, json};
use support::{Daemon, invalid};

const DESCRIBE: &str = "org.varlink.service.GetInterfaceDescription";

#[test]
fn info_lists_both_interfaces() {
    let reply = Daemon::start()
        .connect()
        .call("org.varlink.service.GetInfo", &json!({}));
    let info = &reply["parameters"];
    assert_eq!(
        info["interfaces"],
        json!(["org.varlink.service", "io.projectatomic.podman"])
    );
    for text in ["vendor", "product", "version", "url"] {
        assert!(info[text].is_string(), "{text}");
    }
}

#[test]
fn the_definition_is_the_published_file() {
    let reply = Daemon::start()
        .connect()
        .call(DESCRIBE, &json!({"interface": "io.projectatomic.podman"}));
    let published = include_str!("../../fixtures/io.projectatomic.podman.varlink");
    assert_eq!(reply["parameters"]["description"], published);
}

#[test]
fn the_service_describes_itself() {
    let reply = Daemon::start()
        .connect()
        .call(DESCRIBE, &json!({"interface": "org.varlink.service"}));
    let text = reply["parameters"]["description"].as_str().unwrap();
    assert!(text.contains("interface org.varlink.service"));
}

#[test]
fn an_interface_that_is_not_there_is_not_found() {
    let mut client = Daemon::start_and_connect();
    for name in ["", "io.projectatomic", "io.projectatomic.podman.Ping"] {
        let expected = json!({"error": "org.varlink.service.InterfaceNotFound", "parameters": {"interface": name}});
        assert_eq!(
            client.1.call(DESCRIBE, &json!({"interface": name})),
            expected
        );
    }
}

#[test]
fn a_description_needs_the_interface() {
    let mut client = Daemon::start_and_connect();
    for parameters in [
        json!({}),
        json!(null),
        json!({"interface": null}),
        json!({"interface": 1}),
    ] {
        assert_eq!(
            client.1.call(DESCRIBE, &parameters),
            invalid("interface"),
            "{parameters}"
        );
    }
    client.1.ping();
}

#[test]
fn methods_without_a_function_say_what_to_do_instead() {
    let mut client = Daemon::start_and_connect();
    for method in [
        "AttachToContainer",
        "BuildImage",
        "CreateImage",
        "RenameContainer",
        "ResizeContainerTty",
        "UpdateContainer",
    ] {
        let reply = client
            .1
            .call(&format!("io.projectatomic.podman.{method}"), &Value::Null);
        let comment = reply["parameters"]["notimplemented"]["comment"]
            .as_str()
            .unwrap();
        assert!(
            comment.starts_with("not implemented; "),
            "{method}: {comment}"
        );
    }
}

#[test]
fn the_version_is_that_of_the_build() {
    let reply = Daemon::start()
        .connect()
        .call("io.projectatomic.podman.GetVersion", &Value::Null);
    let version = &reply["parameters"]["version"];
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["built"].as_i64().unwrap() > 0);
    assert!(version["os_arch"].as_str().unwrap().starts_with("linux/"));
    for text in ["go_version", "git_commit"] {
        assert_ne!(version[text], "");
    }
}
