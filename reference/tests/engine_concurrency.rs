//! Of many calls at once for one thing one wins, the others hear so, and none waits for ever.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod host;

use std::sync::Barrier;

use host::{Host, request};
use podman_reference::{
    engine::{CreateRequest, EngineError},
    runtime::cgroup_path,
    settings::Resources,
    sys::cgroup,
};

const CALLERS: usize = 8;

/// Lets eight callers do the same at the same moment.
fn at_once<T: Send>(act: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(CALLERS);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    act()
                })
            })
            .collect();
        callers.into_iter().map(|c| c.join().unwrap()).collect()
    })
}

/// What the one winner got; every other was refused.
fn winner(results: Vec<Result<String, EngineError>>) -> String {
    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    for error in lost.into_iter().map(Result::unwrap_err) {
        assert!(matches!(error, EngineError::Refused(_)), "{error:?}");
    }
    let won: Vec<String> = won.into_iter().map(Result::unwrap).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    won[0].clone()
}

#[test]
fn of_eight_starts_one_wins_and_one_process_runs() {
    let host = Host::new();
    let id = host.create("echo once; exec sleep 1000");
    for round in 1..=3 {
        assert_eq!(winner(at_once(|| host.engine().start_container(&id))), id);
        host.wait_for_lines(&id, round);
        let group = cgroup_path(&id, &Resources::default());
        assert_eq!(cgroup::members(&group).unwrap().len(), 1);
        assert_eq!(host::left::monitors(&id).len(), 1);
        assert_eq!(host.log(&id).len(), round);
        host.engine().kill_container(&id, Some(9)).unwrap();
        host.assert_at_rest(&id);
    }
}

#[test]
fn of_eight_creates_of_one_name_one_wins() {
    let host = Host::new();
    let wanted = CreateRequest {
        name: Some("it".into()),
        ..request(&["true"])
    };
    host.import("busybox", &[]).unwrap();
    for _ in 0..5 {
        let id = winner(at_once(|| host.engine().create_container(&wanted)));
        let all = host.engine().containers().unwrap();
        assert_eq!((all.len(), &all[0].id), (1, &id));
        // The others have given the image back.
        assert_eq!(host.engine().images().unwrap()[0].containers, 1);
        host.engine().remove_container("it", false).unwrap();
        assert!(host::left::of_engine(&host.root(), &host.runroot()).is_empty());
    }
}

#[test]
fn of_eight_removals_one_wins_and_the_others_find_nothing() {
    let host = Host::new();
    for script in ["true", "exec sleep 1000"] {
        let id = host.create(script);
        host.start(&id);
        let results = at_once(|| host.engine().remove_container(&id, true));
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{lost:?}");
        for error in lost.into_iter().map(Result::unwrap_err) {
            assert!(
                matches!(error, EngineError::ContainerNotFound { .. }),
                "{error:?}"
            );
        }
        host.assert_gone(&id);
    }
}

#[test]
fn a_start_and_a_removal_at_once_leave_a_whole_container_or_none() {
    let host = Host::new();
    for _ in 0..20 {
        let id = host.create("exec sleep 1000");
        std::thread::scope(|scope| {
            let start = scope.spawn(|| host.engine().start_container(&id));
            let remove = scope.spawn(|| host.engine().remove_container(&id, true));
            remove.join().unwrap().unwrap();
            // Whether it came first or last.
            let _ = start.join().unwrap();
        });
        host.assert_gone(&id);
    }
}

#[test]
fn starts_and_kills_at_once_end_with_a_container_that_can_be_started() {
    let host = Host::new();
    let id = host.create("exec sleep 1000");
    at_once(|| {
        for _ in 0..5 {
            let _ = host.engine().start_container(&id);
            let _ = host.engine().kill_container(&id, Some(9));
        }
    });
    assert_eq!(host.status(&id), "exited");
    host.assert_at_rest(&id);
    host.start(&id);
    assert_eq!(host.status(&id), "running");
}
