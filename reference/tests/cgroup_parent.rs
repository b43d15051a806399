//! The group above a container's own: in every hierarchy, and gone with the last container below it if it was made for one.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs,
    path::{Path, PathBuf},
};

use host::{Host, request};
use podman_reference::{
    engine::CreateRequest,
    sys::cgroup::{self, Hierarchies},
};

/// A path of groups that no other test has.
fn parent(name: &str) -> PathBuf {
    format!("/podman-reference-{}/{name}", std::process::id()).into()
}

/// A running container below a parent.
fn start_below(host: &Host, parent: Option<&Path>) -> String {
    let mut request: CreateRequest = request(&["sleep", "60"]);
    request.resources.cgroup_parent = parent.map(|path| path.display().to_string());
    let id = host.try_create(&request).unwrap();
    host.start(&id);
    id
}

/// Asserts that a container's first process is in the group that it has below `parent`, in every hierarchy.
fn assert_below(host: &Host, parent: &Path, id: &str) {
    let options = ["-o", "pid"].map(str::to_owned);
    let lines = host.engine().container_processes(id, &options).unwrap();
    let pid = lines.last().unwrap().trim().to_owned();
    let hierarchies = Hierarchies::of_host().unwrap();
    let groups: Vec<PathBuf> = hierarchies
        .groups(&parent.join(format!("podman-reference-{id}")))
        .collect();
    assert!(!groups.is_empty());
    for group in groups {
        let members = fs::read_to_string(group.join("cgroup.procs")).unwrap();
        let is_member = members.lines().any(|line| line == pid);
        assert!(is_member, "{} has {members:?}", group.display());
    }
}

fn is_there(path: &Path) -> bool {
    let host = Hierarchies::of_host().unwrap();
    host.groups(path).any(|group| group.exists())
}

#[test]
fn the_container_lies_below_it_in_every_hierarchy() {
    let host = Host::new();
    let parent = parent("everywhere");
    let id = start_below(&host, Some(&parent));
    assert_below(&host, &parent, &id);
}

#[test]
fn it_is_removed_with_the_last_container_below_it() {
    let host = Host::new();
    let parent = parent("shared");
    let (first, second) = (
        start_below(&host, Some(&parent)),
        start_below(&host, Some(&parent)),
    );
    host.engine().remove_container(&first, true).unwrap();
    assert!(is_there(&parent));
    host.engine().remove_container(&second, true).unwrap();
    assert!(!is_there(&parent));
}

#[test]
fn one_that_was_there_stays() {
    let host = Host::new();
    let parent = parent("kept");
    cgroup::make(&parent).unwrap();
    let id = start_below(&host, Some(&parent));
    host.engine().remove_container(&id, true).unwrap();
    let kept = is_there(&parent);
    cgroup::remove(&parent).unwrap();
    assert!(kept);
}

#[test]
fn without_one_it_lies_below_the_root() {
    let host = Host::new();
    let id = start_below(&host, None);
    assert_below(&host, Path::new("/"), &id);
}
