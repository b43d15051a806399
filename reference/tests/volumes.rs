//! Volumes hold what they are filled with and what is written to them, whatever an image or another container has in the way.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use host::{Host, request};
use podman_reference::{
    engine::{CreateRequest, EngineError},
    sys::mount::unmount_all,
};
use rstest::rstest;
use rustix::{
    fs::CWD,
    mount::{MountFlags, MountPropagationFlags, mount, mount_change},
};
use tar::{EntryType, Header};

/// An entry of an image beside those of busybox, in the place of one of the same name.
struct Entry {
    name: &'static str,
    kind: EntryType,
    mode: u32,
    owner: u64,
    /// A link's target, or a file's content.
    text: String,
}

fn link(name: &'static str, target: impl Into<String>) -> Entry {
    let kind = EntryType::Symlink;
    entry(name, kind, 0o777, target)
}

fn entry(name: &'static str, kind: EntryType, mode: u32, text: impl Into<String>) -> Entry {
    Entry {
        name,
        kind,
        mode,
        owner: 0,
        text: text.into(),
    }
}

impl Host {
    /// The image `busybox` with these entries.
    fn import_with(&self, entries: &[Entry], changes: &[&str]) {
        let mut builder = tar::Builder::new(Vec::new());
        let plain = host::busybox::archive();
        let mut plain = tar::Archive::new(plain.as_slice());
        for old in plain.entries().unwrap() {
            let mut old = old.unwrap();
            let path = old.path().unwrap().into_owned();
            if entries.iter().all(|new| Path::new(new.name) != path) {
                let mut header = old.header().clone();
                let target = old.link_name().unwrap().map(|link| link.into_owned());
                match target {
                    Some(link) => builder.append_link(&mut header, path, link).unwrap(),
                    None => builder.append_data(&mut header, path, &mut old).unwrap(),
                }
            }
        }
        for new in entries {
            let mut header = Header::new_ustar();
            header.set_entry_type(new.kind);
            header.set_mode(new.mode);
            header.set_uid(new.owner);
            header.set_gid(new.owner);
            header.set_mtime(1_234_567_890);
            header.set_size(0);
            if matches!(new.kind, EntryType::Symlink | EntryType::Link) {
                builder
                    .append_link(&mut header, new.name, &new.text)
                    .unwrap();
                continue;
            }
            header.set_size(new.text.len().try_into().unwrap());
            if new.kind == EntryType::Regular {
                let attributes = [("SCHILY.xattr.user.color", b"red".as_slice())];
                builder.append_pax_extensions(attributes).unwrap();
            }
            builder
                .append_data(&mut header, new.name, new.text.as_bytes())
                .unwrap();
        }
        fs::write(self.path("busybox.tar"), builder.into_inner().unwrap()).unwrap();
        self.import("busybox", changes).unwrap();
    }

    /// A directory outside of every container, with a file in it.
    fn canary(&self) -> PathBuf {
        let canary = self.path("canary");
        fs::create_dir(&canary).unwrap();
        fs::write(canary.join("secret"), "of the host").unwrap();
        canary
    }

    fn try_with(&self, volumes: &[&str], script: &str) -> Result<String, EngineError> {
        self.try_create(&with(volumes, script))
    }

    /// Runs a script to its end; its output.
    fn run_with(&self, volumes: &[&str], script: &str) -> Vec<String> {
        let id = self.try_with(volumes, script).unwrap();
        self.start(&id);
        assert_eq!(self.wait(&id), 0, "{:?}", self.log(&id));
        self.log(&id)
    }

    fn volume(&self, name: &str) -> PathBuf {
        self.root().join("volumes").join(name)
    }
}

fn with(volumes: &[&str], script: &str) -> CreateRequest {
    let mut wanted = request(&["/bin/sh", "-c", script]);
    wanted.mounts.volumes = volumes.iter().map(|&volume| volume.to_owned()).collect();
    wanted
}

/// The names in a directory, and the state of the directory itself.
fn listed(directory: &Path) -> (Vec<String>, i64, u32) {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let state = fs::metadata(directory).unwrap();
    (names, state.ctime(), state.mode())
}

#[rstest]
#[case::a_volume("volume")]
#[case::the_devices("dev")]
#[case::the_processes("proc")]
#[case::the_kernel("sys")]
fn an_image_with_a_link_to_the_host_reads_nothing_and_writes_nothing_there(
    #[case] name: &'static str,
) {
    let host = Host::new();
    let canary = host.canary();
    let before = listed(&canary);
    host.import_with(&[link(name, canary.to_str().unwrap())], &["VOLUME=/volume"]);
    let script =
        "ls /volume; touch /volume/made; ls /volume/sub; test -e /dev/null -a -e /proc/self";
    let output = host.run_with(&["named:/volume/sub"], script);
    assert_eq!(output, ["sub"]);
    assert_eq!(listed(&canary), before);
}

/// A host with an image that has something in /data.
fn host_with_data() -> Host {
    let host = Host::new();
    let mut special = entry("data/special", EntryType::Regular, 0o4750, "content");
    special.owner = 1234;
    let mut directory = entry("data/", EntryType::Directory, 0o2770, "");
    directory.owner = 77;
    let entries = [
        directory,
        special,
        entry("data/same", EntryType::Link, 0, "data/special"),
        entry("data/pipe", EntryType::Fifo, 0o640, ""),
        link("data/passwd", "/etc/passwd"),
        entry("data/deep/er/", EntryType::Directory, 0o700, ""),
        entry("data/deep/er/file", EntryType::Regular, 0o600, "deep"),
    ];
    host.import_with(&entries, &[]);
    host
}

#[test]
fn the_files_of_a_volume_are_as_in_the_image() {
    let host = host_with_data();
    let id = host
        .try_with(&["named:/data", "/data/deep"], "true")
        .unwrap();
    let root = host.volume("named");
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    assert_eq!(read(root.join("special")), "content");
    assert_eq!(read(root.join("deep/er/file")), "deep");
    let link = fs::read_link(root.join("passwd")).unwrap();
    assert_eq!(link, Path::new("/etc/passwd"));
    let container = host.root().join("containers").join(&id);
    assert_eq!(read(container.join("volumes/0/er/file")), "deep");
}

#[test]
fn the_attributes_of_a_volume_are_as_in_the_image() {
    let host = host_with_data();
    host.try_with(&["named:/data"], "true").unwrap();
    let root = host.volume("named");
    let at = |name: &str| fs::symlink_metadata(root.join(name)).unwrap();
    let told = |name: &str| {
        let found = at(name);
        (
            found.mode() & 0o7777,
            found.uid(),
            found.gid(),
            found.mtime(),
        )
    };
    assert_eq!(told(""), (0o2770, 77, 77, 1_234_567_890));
    assert_eq!(told("special"), (0o4750, 1234, 1234, 1_234_567_890));
    assert_eq!(told("pipe"), (0o640, 0, 0, 1_234_567_890));
    assert_eq!(told("deep/er").0, 0o700);
    assert_eq!(at("special").ino(), at("same").ino());
    let mut color = [0_u8; 8];
    let length = rustix::fs::getxattr(root.join("special"), "user.color", &mut color[..]);
    assert_eq!(color.get(..length.unwrap()), Some(b"red".as_slice()));
}

#[test]
fn a_containers_own_volumes_go_with_it_and_the_others_stay() {
    let host = Host::new();
    let id = host
        .try_with(
            &["named:/named", "/own"],
            "echo x > /named/x; echo x > /own/x",
        )
        .unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    let own = host.root().join("containers").join(&id).join("volumes/0/x");
    assert!(own.exists());
    host.engine().remove_container(&id, false).unwrap();
    host.assert_gone(&id);
    assert!(!own.exists());
    assert_eq!(
        fs::read_to_string(host.volume("named").join("x")).unwrap(),
        "x\n"
    );
    assert_eq!(
        fs::read_dir(host.root().join("staging")).unwrap().count(),
        0
    );
}

#[test]
fn containers_that_name_a_new_volume_at_once_share_one() {
    let host = Host::new();
    host.import("busybox", &[]).unwrap();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| host.try_with(&["new:/bin"], "true").unwrap()))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(host.volume("new").join("busybox").exists());
    fs::write(host.volume("new").join("kept"), "").unwrap();
    for id in &ids {
        let directory = host.root().join("containers").join(id);
        assert!(!directory.join("new-volumes").exists());
    }
    let output = host.run_with(&["new:/bin"], "ls /bin/kept");
    assert_eq!(output, ["/bin/kept"]);
}

#[test]
fn a_create_that_is_refused_makes_no_volume() {
    let host = Host::new();
    let mut wanted = with(&["named:/data"], "true");
    wanted.stop_signal = Some(99);
    assert!(host.try_create(&wanted).is_err());
    let first = host.create("true");
    wanted.stop_signal = None;
    wanted.name = Some(host.engine().container(&first).unwrap().name);
    assert!(host.try_create(&wanted).is_err());
    assert!(!host.volume("named").exists());
}

#[rstest]
#[case::over_proc("/proc")]
#[case::below_proc("/proc/sys")]
#[case::over_sys("/sys")]
#[case::over_dev("/dev")]
#[case::over_the_root("/")]
fn a_volume_that_another_container_leads_astray_starts_nothing(#[case] target: &str) {
    let host = Host::new();
    let id = host.try_with(&["outer:/a", "inner:/a/b"], "true").unwrap();
    // What another container does that has the outer volume, too.
    symlink(target, host.volume("outer").join("b")).unwrap();
    let error = host.engine().start_container(&id).unwrap_err().to_string();
    assert!(error.contains("volumes"), "{error}");
    host.assert_at_rest(&id);
    fs::remove_file(host.volume("outer").join("b")).unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
}

#[test]
fn a_volume_that_another_container_swaps_leads_nowhere_else() {
    let host = Host::new();
    let script = "busybox grep -c ' /sys[ /]' /proc/mounts; test -d /a/b";
    let usual = host.run_with(&["outer:/a", "inner:/a/b"], script);
    let id = host.try_with(&["outer:/a", "inner:/a/b"], script).unwrap();
    let (place, link) = (
        host.volume("outer").join("b"),
        host.volume("outer").join("l"),
    );
    symlink("/sys", &link).unwrap();
    let over = AtomicBool::new(false);
    let outputs = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let exchange = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(CWD, &place, CWD, &link, exchange).unwrap();
            }
        });
        for _ in 0..40 {
            if host.engine().start_container(&id).is_ok() {
                host.wait(&id);
            }
        }
        over.store(true, Ordering::Relaxed);
        host.log(&id)
    });
    assert!(
        outputs.iter().all(|line| *line == usual[0]),
        "{outputs:?} {usual:?}"
    );
    host.assert_at_rest(&id);
}

#[test]
fn a_container_that_replaces_a_mount_point_by_a_link_does_not_start_again() {
    let host = Host::new();
    let id = host.try_with(&["named:/data"], "true").unwrap();
    let upper = host.root().join("containers").join(&id).join("upper");
    symlink("/proc", upper.join("data")).unwrap();
    let error = host.engine().start_container(&id).unwrap_err().to_string();
    assert!(error.contains("volumes"), "{error}");
    host.assert_at_rest(&id);
}

#[test]
fn a_source_that_has_gone_is_named() {
    let host = Host::new();
    let canary = host.canary();
    let volume = format!("{}:/data", canary.display());
    let id = host.try_with(&[&volume], "true").unwrap();
    fs::remove_dir_all(&canary).unwrap();
    let error = host.engine().start_container(&id).unwrap_err().to_string();
    assert!(
        error.contains("volumes") && error.contains("canary"),
        "{error}"
    );
    host.assert_at_rest(&id);
}

/// A directory of a host that has something mounted below it, and tells those who want to know of later mounts.
struct Tree {
    path: PathBuf,
}

impl Tree {
    fn new(host: &Host) -> Self {
        let path = host.path("tree");
        fs::create_dir(&path).unwrap();
        let tree = Self { path };
        tree.mount("");
        mount_change(&tree.path, MountPropagationFlags::SHARED).unwrap();
        fs::create_dir(tree.path.join("before")).unwrap();
        fs::create_dir(tree.path.join("after")).unwrap();
        tree.mount("before");
        tree
    }

    fn mount(&self, below: &str) {
        let target = self.path.join(below);
        mount("tmpfs", target, "tmpfs", MountFlags::empty(), None).unwrap();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        for below in ["after", "before", ""] {
            let _ = unmount_all(&self.path.join(below));
        }
    }
}

#[test]
fn what_is_mounted_below_a_source_is_there_and_as_restricted() {
    let host = Host::new();
    let tree = Tree::new(&host);
    fs::write(tree.path.join("before/file"), "below").unwrap();
    let volume = format!("{}:/data:ro", tree.path.display());
    let script = "cat /data/before/file; touch /data/new; touch /data/before/new; true";
    let output = host.run_with(&[&volume], script);
    let refused = |line: &&String| line.contains("Read-only file system");
    assert_eq!(output.iter().filter(refused).count(), 2, "{output:?}");
    assert!(output.contains(&"below".to_owned()), "{output:?}");
}

#[rstest]
#[case::private("", false)]
#[case::private_by_name(":rprivate", false)]
#[case::slave(":slave", true)]
#[case::unbindable(":unbindable", false)]
fn later_mounts_of_the_host_appear_where_they_are_asked_for(
    #[case] options: &str,
    #[case] expected: bool,
) {
    let host = Host::new();
    let tree = Tree::new(&host);
    let volume = format!("{}:/data{options}", tree.path.display());
    let script = "echo ready; while test ! -e /data/go; do sleep 0.05; done; ls /data/after";
    let id = host.try_with(&[&volume], script).unwrap();
    host.start(&id);
    host.wait_for_lines(&id, 1);
    tree.mount("after");
    fs::write(tree.path.join("after/later"), "").unwrap();
    fs::write(tree.path.join("go"), "").unwrap();
    assert_eq!(host.wait(&id), 0);
    assert_eq!(host.log(&id).contains(&"later".to_owned()), expected);
}

#[test]
fn a_volume_on_etc_keeps_its_files_and_gets_those_that_it_lacks() {
    let host = Host::new();
    host.run_with(&["named:/etc"], "cat /etc/passwd");
    let root = host.volume("named");
    assert_eq!(fs::metadata(root.join("hosts")).unwrap().len(), 0);
    fs::write(root.join("hosts"), "mine").unwrap();
    let output = host.run_with(&["named:/etc"], "cat /etc/hosts");
    assert!(!output.contains(&"mine".to_owned()), "{output:?}");
    assert_eq!(fs::read_to_string(root.join("hosts")).unwrap(), "mine");
    // What is no file there is somebody's, and nothing gives way to the engine's.
    fs::remove_file(root.join("hostname")).unwrap();
    symlink("passwd", root.join("hostname")).unwrap();
    let id = host.try_with(&["named:/etc"], "true").unwrap();
    let error = host.engine().start_container(&id).unwrap_err().to_string();
    assert!(
        error.contains("volumes") && error.contains("hostname"),
        "{error}"
    );
    assert!(root.join("hostname").is_symlink());
}

#[test]
fn a_working_directory_that_is_made_in_a_volume_is_roots() {
    let host = Host::new();
    let mut wanted = with(&["named:/data"], "pwd");
    wanted.work_dir = Some("/data/a/b".into());
    wanted.security.user = Some("ann".into());
    let id = host.try_create(&wanted).unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    assert_eq!(host.log(&id), ["/data/a/b"]);
    let made = fs::metadata(host.volume("named").join("a/b")).unwrap();
    assert_eq!((made.uid(), made.permissions().mode() & 0o7777), (0, 0o755));
    // It may lead through a file, which is an error that says so.
    fs::remove_dir_all(host.volume("named").join("a")).unwrap();
    fs::write(host.volume("named").join("a"), "").unwrap();
    let error = host.engine().start_container(&id).unwrap_err().to_string();
    assert!(error.contains("work_dir"), "{error}");
}

#[test]
fn mount_points_are_no_changes_of_the_container() {
    let host = Host::new();
    let id = host
        .try_with(
            &["named:/new/place", "/etc/passwd:/new/file"],
            "touch /new/place/x",
        )
        .unwrap();
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    let found = host.engine().container_changes(&id).unwrap();
    let all = [found.added, found.changed, found.deleted].concat();
    assert!(all.is_empty(), "{all:?}");
}

#[test]
fn a_container_that_sees_the_whole_host_keeps_nothing_of_another_one() {
    let host = Host::new();
    let other = host.create("exec sleep 60");
    host.start(&other);
    let script = "echo ready; test -d /host/proc/1 && exec sleep 60";
    let id = host.try_with(&["/:/host:ro"], script).unwrap();
    host.start(&id);
    host.wait_for_lines(&id, 1);
    host.engine().remove_container(&other, true).unwrap();
    host.assert_gone(&other);
    assert_eq!(host.status(&id), "running");
    host.engine().remove_container(&id, true).unwrap();
    host.assert_gone(&id);
    assert!(host.mounts().is_empty(), "{:?}", host.mounts());
}
