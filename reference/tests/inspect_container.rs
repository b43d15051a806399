//! The inspection of a container is true on the host: its paths are there, and it outlives the daemon.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::path::Path;

use host::{Host, NEVER, request};
use podman_reference::engine::ContainerInspection;

fn inspect(host: &Host, id: &str) -> ContainerInspection {
    host.engine().inspect_container(id).unwrap()
}

#[test]
fn its_paths_are_there_while_it_runs() {
    let host = Host::new();
    let id = host.create("echo it > /wrote; sleep 60");
    let before = inspect(&host, &id);
    assert_eq!(before.hosts_path, "");
    host.engine().start_container(&id).unwrap();
    let document = inspect(&host, &id);
    let overlay = &document.graph_driver.data;
    for path in [
        &document.log_path,
        &document.static_dir,
        &document.hosts_path,
        &document.hostname_path,
        &document.resolv_conf_path,
        &overlay.lower_dir,
        &overlay.upper_dir,
        &overlay.work_dir,
    ] {
        assert!(Path::new(path).exists(), "{path}");
    }
    let hostname = std::fs::read_to_string(&document.hostname_path).unwrap();
    assert_eq!(hostname.trim_end(), document.config.hostname);
    // The container's own file is in what it wrote and in the merged tree, the image's in the layer and in the merged tree.
    let merged = Path::new(&overlay.merged_dir);
    while !merged.join("wrote").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Path::new(&overlay.upper_dir).join("wrote").exists());
    assert!(Path::new(&overlay.lower_dir).join("bin/busybox").exists());
    assert!(merged.join("bin/busybox").exists());
    assert!(host.mounts().contains(&overlay.merged_dir));
}

#[test]
fn its_times_outlive_the_daemon() {
    let mut host = Host::new();
    let id = host.create("exec sleep 60");
    host.engine().start_container(&id).unwrap();
    host.engine().kill_container(&id, Some(9)).unwrap();
    let first = inspect(&host, &id).state;
    assert_eq!((first.exit_code, first.status.as_str()), (137, "exited"));
    host.reopen();
    assert_eq!(inspect(&host, &id).state, first);

    host.engine().start_container(&id).unwrap();
    let second = inspect(&host, &id).state;
    assert_eq!(
        (second.exit_code, &second.finished_at),
        (0, &first.finished_at)
    );
    assert!(second.started_at > first.finished_at);
    host.reopen();
    assert_eq!(inspect(&host, &id).state, second);
}

#[test]
fn words_of_the_entrypoint_are_told_from_those_of_the_command() {
    let host = Host::new();
    let wanted = podman_reference::engine::CreateRequest {
        entrypoint: Some(vec!["sh".into(), "-c".into()]),
        ..request(&["exit 3"])
    };
    let id = host.try_create(&wanted).unwrap();
    host.engine().start_container(&id).unwrap();
    assert_eq!(host.engine().wait_container(&id, NEVER).unwrap(), 3);
    let document = inspect(&host, &id);
    assert_eq!(document.config.entrypoint, ["sh", "-c"]);
    assert_eq!(document.config.cmd, ["exit 3"]);
    assert_eq!(
        (document.path.as_str(), document.args),
        ("sh", vec!["-c".into(), "exit 3".into()])
    );
}
