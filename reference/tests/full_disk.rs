//! On a full disk a call is refused, says why and leaves nothing half done; once there is space again, it works.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod served;

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::PathBuf,
    sync::Arc,
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use serde_json::{Value, json};
use served::{Host, Refusal, left, until};
use tempfile::TempDir;

const SIZE: u64 = 64 << 20;
/// Less than what an image takes.
const LITTLE: u64 = 1 << 20;

/// An engine whose storage root is a disk of its own, which this thread and what it starts alone see.
struct SmallDisk {
    /// `None` once it is gone.
    host: Option<Host>,
    // Last: the disk is taken away before.
    folder: Arc<TempDir>,
}

impl SmallDisk {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        let host = Host::new_in(|folder| {
            let root = folder.join("root");
            fs::create_dir(&root).unwrap();
            let size = format!("size={SIZE}");
            let flags = MsFlags::empty();
            mount(none, &root, Some("tmpfs"), flags, Some(size.as_str())).unwrap();
        });
        Self {
            folder: Arc::clone(&host.folder),
            host: Some(host),
        }
    }

    fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    fn host_mut(&mut self) -> &mut Host {
        self.host.as_mut().unwrap()
    }

    fn filler(&self) -> PathBuf {
        self.host().root().join("filler")
    }

    /// Takes all space but so many bytes.
    fn fill(&self, but: u64) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.filler())
            .unwrap();
        for size in [64 << 10, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(but)).unwrap();
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    /// Nothing is half there.
    fn assert_sound(&self) {
        let host = self.host();
        let known = host.containers();
        let running: Vec<_> = known
            .iter()
            .filter(|id| host.status(id) == "running")
            .cloned()
            .collect();
        let strays = left::strays(&host.root(), &host.runroot(), &known, &running);
        assert!(strays.is_empty(), "{strays:?}");
    }

    fn names(&self, below: &str) -> usize {
        fs::read_dir(self.host().root().join(below))
            .unwrap()
            .count()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let root = self.folder.path().join("root");
        let _ = fs::remove_file(root.join("filler"));
        self.host = None;
        let _ = podman_reference::sys::mount::unmount_all(&root);
    }
}

fn assert_says_why(refused: Result<Value, Refusal>) {
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.error, "ErrorOccurred");
    let reason = refusal.parameters["reason"].as_str().unwrap();
    assert!(reason.contains("No space left"), "{reason}");
}

#[test]
fn an_import_is_refused_and_leaves_no_image() {
    let disk = SmallDisk::new();
    let host = disk.host();
    let import = json!({ "source": host.folder.path().join("image.tar"), "reference": "again", "changes": ["LABEL=a=b"] });
    disk.fill(LITTLE);
    assert_says_why(host.try_call("ImportImage", &import));
    disk.assert_sound();
    assert_eq!((disk.names("images"), disk.names("layers")), (1, 1));
    let listed = host.call("ListImages", &json!({}));
    assert_eq!(listed["images"].as_array().unwrap().len(), 1);
    disk.free();
    host.call("ImportImage", &import);
    assert_eq!((disk.names("images"), disk.names("layers")), (2, 1));
}

#[test]
fn a_create_is_refused_and_leaves_the_name_free() {
    let disk = SmallDisk::new();
    let host = disk.host();
    let create = served::request(&host.image, Some("it"), "exit 3");
    disk.fill(0);
    assert_says_why(host.try_call("CreateContainer", &create));
    assert_eq!(host.containers(), [""; 0]);
    disk.assert_sound();
    disk.free();
    host.call("CreateContainer", &create);
    host.call("StartContainer", &json!({ "name": "it" }));
    assert_eq!(host.wait("it"), 3);
}

#[test]
fn a_start_is_refused_and_leaves_the_container_as_it_was() {
    let disk = SmallDisk::new();
    let host = disk.host();
    let ids = [host.create("exit 3"), host.run("exit 4")];
    assert_eq!(host.wait(&ids[1]), 4);
    disk.fill(0);
    for (id, status) in ids.iter().zip(["configured", "exited"]) {
        assert_says_why(host.try_call("StartContainer", &json!({ "name": id })));
        assert_eq!(host.status(id), status);
        assert_eq!(left::outside(&host.runroot(), id), [""; 0]);
    }
    disk.assert_sound();
    assert_eq!(host.wait(&ids[1]), 4);
    disk.free();
    for (id, code) in ids.iter().zip([3, 4]) {
        host.call("StartContainer", &json!({ "name": id }));
        assert_eq!(host.wait(id), code);
    }
}

/// Prints once `/print` is there, says so by `/printed`, and ends once `/end` is there. An empty file takes no space.
const PRINTS: &str = "echo before; while ! test -e /print; do sleep 0.05; done; seq 1 20000; touch /printed; \
    while ! test -e /end; do sleep 0.05; done; echo after; exit 5";

/// Makes an empty file inside.
fn tell(host: &Host, id: &str, name: &str) {
    File::create(host.runroot().join("mounts").join(id).join(name)).unwrap();
}

fn prints_on_a_full_disk(disk: &SmallDisk) -> String {
    let host = disk.host();
    let id = host.run(PRINTS);
    until("its line", || host.log(&id) == ["before"]);
    disk.fill(0);
    tell(host, &id, "print");
    let printed = host.runroot().join("mounts").join(&id).join("printed");
    until("all lines", || printed.exists());
    id
}

#[test]
fn a_container_that_prints_goes_on_and_its_log_has_a_hole() {
    let disk = SmallDisk::new();
    let id = prints_on_a_full_disk(&disk);
    let host = disk.host();
    let lines = host.log(&id).len();
    assert!(lines < 20_000, "{lines}");
    assert_eq!(host.status(&id), "running");
    disk.free();
    tell(host, &id, "end");
    assert_eq!(host.wait(&id), 5);
    let log = host.log(&id);
    assert_eq!(
        (log[0].as_str(), log.last().unwrap().as_str()),
        ("before", "after")
    );
    // What is there of the other lines is their beginning; the last of these may have been cut.
    let printed = &log[1..log.len() - 1];
    for (line, number) in printed.iter().rev().skip(1).rev().zip(1..) {
        assert_eq!(line, &number.to_string());
    }
}

#[test]
fn how_a_container_ends_is_known_though_the_disk_is_full() {
    let mut disk = SmallDisk::new();
    let id = prints_on_a_full_disk(&disk);
    tell(disk.host(), &id, "end");
    assert_eq!(disk.host().wait(&id), 5);
    disk.host_mut().kill();
    disk.host_mut().start();
    let host = disk.host();
    assert_eq!((host.status(&id).as_str(), host.wait(&id)), ("exited", 5));
    assert_eq!(left::outside(&host.runroot(), &id), [""; 0]);
    host.call("RemoveContainer", &json!({ "name": id }));
    assert_eq!(
        left::of_container(&host.root(), &host.runroot(), &id),
        [""; 0]
    );
    disk.assert_sound();
}

#[test]
fn containers_are_stopped_and_removed_on_a_full_disk() {
    let disk = SmallDisk::new();
    let host = disk.host();
    let ids = [host.run("exec sleep 1000"), host.run("exec sleep 1000")];
    disk.fill(0);
    host.call("StopContainer", &json!({ "name": ids[0], "timeout": 0 }));
    assert_eq!(host.wait(&ids[0]), 137);
    host.remove(&ids[0]);
    host.remove(&ids[1]);
    assert_eq!(host.containers(), [""; 0]);
    disk.assert_sound();
}

#[test]
fn an_export_is_refused_and_leaves_no_part_of_a_tar() {
    let disk = SmallDisk::new();
    let host = disk.host();
    let id = host.create("true");
    let folder = host.root().join("exported");
    fs::create_dir(&folder).unwrap();
    let export = json!({ "name": id, "path": folder.join("it.tar") });
    for but in [0, LITTLE] {
        disk.fill(but);
        assert_says_why(host.try_call("ExportContainer", &export));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        disk.assert_sound();
        disk.free();
    }
    host.call("ExportContainer", &export);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}
