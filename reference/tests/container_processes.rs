//! The processes of a container are listed whatever their state, and no option reaches another process.
#![expect(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod host;

use host::Host;

/// Asks again until `done` likes the answer.
fn until(host: &Host, id: &str, done: impl Fn(&[String]) -> bool) -> Vec<String> {
    for _ in 0..2000 {
        let lines = host.engine().container_processes(id, &[]).unwrap();
        if done(&lines) {
            return lines;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it does not come to that");
}

#[test]
fn a_child_that_was_not_collected_is_listed() {
    let host = Host::new();
    let id = host.create("true & exec sleep 60");
    host.engine().start_container(&id).unwrap();
    let lines = until(&host, &id, |lines| {
        lines.iter().any(|line| line.contains("<defunct>"))
    });
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[test]
fn containers_do_not_see_each_other_nor_the_host() {
    let host = Host::new();
    let ids = [
        host.create("sleep 61 & wait"),
        host.create("sleep 62 & wait"),
    ];
    for id in &ids {
        host.engine().start_container(id).unwrap();
    }
    for (id, other) in [(&ids[0], "sleep 62"), (&ids[1], "sleep 61")] {
        until(&host, id, |lines| lines.len() == 3);
        for options in [&["-ef"][..], &["aux"], &["-A", "-o", "args"]] {
            let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
            let lines = host.engine().container_processes(id, &options).unwrap();
            assert_eq!(lines.len(), 3, "{lines:?}");
            let strangers = |line: &String| line.ends_with(other);
            assert!(!lines.iter().any(strangers), "{lines:?}");
        }
    }
}
