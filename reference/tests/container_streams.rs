//! Where a container's log is kept, and where its sockets are.

mod host;

use std::os::unix::fs::FileTypeExt;

use host::{Host, NEVER, request};
use podman_reference::engine::CreateRequest;

fn logging_to(path: &std::path::Path) -> CreateRequest {
    let mut request = request(&["echo", "kept"]);
    request.stdio.log_driver_opt = vec![format!("path={}", path.display())];
    request
}

#[test]
fn a_log_of_the_callers_choice_is_written_there_and_stays() {
    let host = Host::new();
    let path = host.path("its.log");
    let id = host.try_create(&logging_to(&path)).unwrap();
    assert!(!path.exists(), "made by the first start");
    host.engine().start_container(&id).unwrap();
    host.engine().wait_container(&id, NEVER).unwrap();
    assert_eq!(host.log(&id), ["kept"]);
    host.engine().remove_container(&id, false).unwrap();
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("kept"), "{kept:?}");

    let refused = host.try_create(&logging_to(&path)).unwrap_err();
    assert!(refused.to_string().contains("log_driver_opt"), "{refused}");
}

#[test]
fn a_log_that_is_gone_is_an_error_and_no_empty_one() {
    let host = Host::new();
    let path = host.path("its.log");
    let id = host.try_create(&logging_to(&path)).unwrap();
    assert!(host.log(&id).is_empty(), "it has not run yet");
    host.engine().start_container(&id).unwrap();
    host.engine().wait_container(&id, NEVER).unwrap();
    std::fs::remove_file(&path).unwrap();
    let read = |follow| {
        let sink = &mut |_: &_| std::ops::ControlFlow::Continue(());
        host.engine().container_logs(&id, follow, NEVER, sink)
    };
    for follow in [false, true] {
        let error = read(follow).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
    assert!(!path.exists(), "nothing is made in its place");
    std::fs::create_dir(&path).unwrap();
    for follow in [false, true] {
        assert!(read(follow).is_err(), "it is a directory");
    }
}

#[test]
fn the_sockets_are_where_they_are_said_to_be() {
    let host = Host::new();
    let id = host.create("sleep 1000");
    let sockets = host.engine().attach_sockets(&id).unwrap();
    host.engine().start_container(&id).unwrap();
    assert_eq!(host.engine().attach_sockets(&id).unwrap(), sockets);
    let kind = |path| std::fs::metadata(path).unwrap().file_type();
    assert!(kind(&sockets.io).is_socket());
    assert!(kind(&sockets.control).is_fifo());
}
