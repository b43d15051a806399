//! The files that the engine provides are what a container finds, whatever its root file system has in their place.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use rstest::rstest;

use crate::fixture::Fixture;

const FILES: [&str; 3] = ["hosts", "hostname", "resolv.conf"];

/// A container that shows the files; `put` makes what its root file system has at each of their paths.
fn with(put: impl Fn(&Path)) -> Fixture {
    let paths = FILES.map(|name| format!("/etc/{name}"));
    let mut command = vec!["/bin/cat"];
    command.extend(paths.iter().map(String::as_str));
    let fixture = Fixture::command(&command);
    places(&fixture).iter().for_each(|place| put(place));
    fixture
}

/// Where its root file system has them.
fn places(fixture: &Fixture) -> [PathBuf; 3] {
    FILES.map(|name| fixture.setup.rootfs.join("etc").join(name))
}

/// Starts the container, and again once it has ended: both times it sees what the engine provides.
fn assert_sees_them_twice(fixture: &Fixture) {
    let mut expected = Vec::new();
    for _ in 0..2 {
        assert_eq!(fixture.run(), 0);
        for name in FILES {
            let text = fs::read_to_string(fixture.setup.files.join(name)).unwrap();
            expected.extend(text.lines().map(str::to_owned));
        }
        assert!(expected.iter().any(|line| line == "inside"));
        assert_eq!(fixture.lines(), expected);
    }
}

/// The directory on the host that holds the root file system.
fn outside(fixture: &Fixture) -> PathBuf {
    fixture.setup.rootfs.parent().unwrap().to_owned()
}

#[rstest]
#[case::of_a_booted_system("../run/systemd/resolve/stub-resolv.conf")]
#[case::dangling("/run/nowhere")]
#[case::absolute("/inside")]
#[case::upwards("../../../inside")]
#[case::to_one_of_them("hosts")]
#[case::to_a_file_of_the_kernel("/proc/sys/kernel/hostname")]
#[case::to_a_device("/dev/null")]
#[case::to_a_directory("/etc")]
fn a_link_is_not_followed(#[case] target: &str) {
    let fixture = with(|place| symlink(target, place).unwrap());
    let rootfs = &fixture.setup.rootfs;
    fs::write(rootfs.join("inside"), "the image's\n").unwrap();
    assert_sees_them_twice(&fixture);
    let text = fs::read_to_string(rootfs.join("inside")).unwrap();
    assert_eq!(text, "the image's\n");
    assert!(!rootfs.join("run").exists());
}

#[test]
fn a_link_to_a_file_of_the_host_leaves_it_alone() {
    let canary = tempfile::NamedTempFile::new().unwrap();
    fs::write(canary.path(), "the host's\n").unwrap();
    let upwards = format!("../../../../../../../..{}", canary.path().display());
    for target in [canary.path(), Path::new(&upwards)] {
        let fixture = with(|place| symlink(target, place).unwrap());
        assert_sees_them_twice(&fixture);
        let text = fs::read_to_string(canary.path()).unwrap();
        assert_eq!(text, "the host's\n");
    }
}

#[test]
fn a_directory_makes_way_and_links_in_it_are_not_followed() {
    let canary = tempfile::tempdir().unwrap();
    fs::write(canary.path().join("file"), "").unwrap();
    let fixture = with(|place| {
        fs::create_dir_all(place.join("a/b")).unwrap();
        fs::write(place.join("a/b/c"), "").unwrap();
        symlink(canary.path(), place.join("a/link")).unwrap();
    });
    assert_sees_them_twice(&fixture);
    assert!(canary.path().join("file").exists());
}

#[test]
fn a_fifo_is_not_opened() {
    let mode = nix::sys::stat::Mode::S_IRWXU;
    let fixture = with(|place| nix::unistd::mkfifo(place, mode).unwrap());
    assert_sees_them_twice(&fixture);
}

#[test]
fn a_file_is_kept() {
    let fixture = with(|place| {
        fs::write(place, "the image's\n").unwrap();
        fs::set_permissions(place, fs::Permissions::from_mode(0o600)).unwrap();
    });
    assert_sees_them_twice(&fixture);
    for place in places(&fixture) {
        let mode = place.symlink_metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&place).unwrap(), "the image's\n");
    }
}

#[rstest]
#[case::missing(|_: &Path, _: &Path| {})]
#[case::a_file(|_: &Path, etc: &Path| fs::write(etc, "").unwrap())]
#[case::a_dangling_link(|_: &Path, etc: &Path| symlink("/nowhere/etc", etc).unwrap())]
#[case::a_link_to_itself(|_: &Path, etc: &Path| symlink("/etc", etc).unwrap())]
#[case::a_link_to_the_host(|rootfs: &Path, etc: &Path| symlink(rootfs.parent().unwrap(), etc).unwrap())]
#[case::a_link_inside(|rootfs: &Path, etc: &Path| {
    fs::create_dir_all(rootfs.join("private/etc")).unwrap();
    symlink("/private/etc/hosts", rootfs.join("private/etc/hosts")).unwrap();
    symlink("../private/etc", etc).unwrap();
})]
fn their_directory_may_be(#[case] put: fn(&Path, &Path)) {
    let fixture = with(|_| {});
    let rootfs = &fixture.setup.rootfs;
    fs::remove_dir(rootfs.join("etc")).unwrap();
    put(rootfs, &rootfs.join("etc"));
    assert_sees_them_twice(&fixture);
    for name in FILES {
        assert!(!outside(&fixture).join(name).exists());
    }
}

#[test]
fn a_link_that_a_run_left_is_not_followed_by_the_next() {
    let fixture = with(|_| {});
    assert_eq!(fixture.run(), 0);
    for place in places(&fixture) {
        fs::remove_file(&place).unwrap();
        symlink("/run/nowhere", &place).unwrap();
    }
    assert_eq!(fixture.run(), 0);
}
