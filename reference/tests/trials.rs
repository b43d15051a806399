//! A daemon clears away what dead ones left among the host's cgroups, and nothing of others.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{path::PathBuf, process::Command};

use host::{Host, left};
use podman_reference::sys::{cgroup, owner::Owner, process::Pid};

fn trial_of(owner: Owner) -> String {
    let name = format!("podman-reference-trial-{owner}-7");
    cgroup::make(&PathBuf::from("/").join(&name)).unwrap();
    name
}

#[test]
fn of_trials_of_limits_only_those_of_the_dead_are_removed() {
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
    let dead = trial_of(Owner::of(pid).unwrap());
    let alive = trial_of(Owner::current().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let _host = Host::new();
    let trials = left::trials();
    cgroup::remove(&PathBuf::from("/").join(&alive)).unwrap();
    assert!(!trials.contains(&dead), "{trials:?}");
    assert!(trials.contains(&alive), "{trials:?}");
}
