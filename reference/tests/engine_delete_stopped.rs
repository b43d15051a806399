//! DeleteStoppedContainers deletes what it can, whatever one container does, and says which.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{path::Path, process::Command};

use host::Host;

/// A directory that cannot be renamed, for something is mounted there.
struct Pinned<'a>(&'a Path);

impl<'a> Pinned<'a> {
    fn new(path: &'a Path) -> Self {
        let mounted = Command::new("mount")
            .arg("--bind")
            .args([path, path])
            .status();
        assert!(mounted.unwrap().success());
        Self(path)
    }
}

impl Drop for Pinned<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn one_that_cannot_be_deleted_keeps_no_other_from_it() {
    let host = Host::new();
    let mut ids: Vec<String> = (0..3).map(|_| host.create("exit 0")).collect();
    ids.sort();
    let [first, stuck, last] = ids.as_slice() else {
        panic!("three were made");
    };
    let path = host.root().join("containers").join(stuck);
    let pinned = Pinned::new(&path);
    let mut deleted = host.engine().delete_stopped_containers().unwrap();
    deleted.sort();
    assert_eq!(deleted, [first.clone(), last.clone()]);
    assert_eq!(host.status(stuck), "configured");
    drop(pinned);
    let deleted = host.engine().delete_stopped_containers().unwrap();
    assert_eq!(deleted, std::slice::from_ref(stuck));
}
