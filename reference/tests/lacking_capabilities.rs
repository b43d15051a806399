//! A capability that the daemon lacks: containers lack it too, and asking for it is refused by its name.

mod busybox;
mod support;

use serde_json::{Value, json};
use support::{Client, Daemon};

fn call(client: &mut Client, method: &str, parameters: &Value) -> Value {
    client.call(&format!("io.projectatomic.podman.{method}"), parameters)
}

fn create(client: &mut Client, add: &[&str]) -> Value {
    let command = [
        "/bin/sh",
        "-c",
        "while read name value; do [ $name != CapBnd: ] || echo $value; done < /proc/self/status",
    ];
    let create = json!({ "image": "box", "command": command, "net_mode": "none", "cap_add": add });
    call(client, "CreateContainer", &json!({ "create": create }))
}

#[test]
fn what_the_daemon_lacks_is_not_given() {
    let daemon = Daemon::start_after(
        r#"set -- "$0" "$@"; set -- setpriv --bounding-set=-net_raw "$@"; exec "$@";"#,
    );
    let mut client = daemon.connect();
    let source = daemon.folder.path().join("image.tar");
    std::fs::write(&source, busybox::archive()).unwrap();
    call(
        &mut client,
        "ImportImage",
        &json!({ "source": source, "reference": "box" }),
    );

    let refused = create(&mut client, &["CHOWN", "NET_RAW"]);
    assert_eq!(refused["error"], "io.projectatomic.podman.ErrorOccurred");
    let reason = refused["parameters"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("cap_add") && reason.contains("NET_RAW"),
        "{reason}"
    );

    let created = create(&mut client, &[]);
    let name = json!({ "name": created["parameters"]["container"] });
    let started = call(&mut client, "StartContainer", &name);
    assert!(started["error"].is_null(), "{started}");
    call(&mut client, "WaitContainer", &name);
    let log = call(&mut client, "GetContainerLogs", &name);
    call(&mut client, "RemoveContainer", &name);
    let line = log["parameters"]["container"][0].as_str().unwrap();
    let held = u64::from_str_radix(line.trim(), 16).unwrap();
    // CHOWN is the first one, NET_RAW the fourteenth.
    assert_eq!((held & 1, held >> 13 & 1, held.count_ones()), (1, 0, 13));
}
