//! An exported tar holds the container's files as they are, never one from outside, and is whole or not there.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use host::Host;

type Entries = BTreeMap<String, (tar::EntryType, u32, String, Vec<u8>)>;

/// The entries of a tar: kind, mode, link and content by name, directories without their slash.
fn entries(path: &Path) -> Entries {
    let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes())
            .trim_end_matches('/')
            .to_owned();
        let link = entry.link_name_bytes().unwrap_or_default();
        let link = String::from_utf8_lossy(&link).into_owned();
        let (kind, mode) = (entry.header().entry_type(), entry.header().mode().unwrap());
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        assert!(found.insert(name, (kind, mode, link, content)).is_none());
    }
    found
}

/// Second names as the files that they are.
fn resolved(found: &Entries) -> Entries {
    let of = |entry: &(tar::EntryType, u32, String, Vec<u8>)| match entry.0 {
        tar::EntryType::Link => found[&entry.2].clone(),
        _ => entry.clone(),
    };
    let pairs = found.iter().map(|(name, entry)| (name.clone(), of(entry)));
    pairs.collect()
}

#[test]
#[allow(clippy::too_many_lines)] // one look at one tar
fn what_the_container_sees_is_in_the_tar() {
    let host = Host::new();
    let long = "n".repeat(150);
    let id = host.create(&format!(
        "echo one > /a; busybox chmod 4711 /a; busybox ln /a /b; busybox ln -s /{long} /l; echo x > /{long}; \
         busybox mkfifo /p; busybox mknod /null c 1 3; busybox rm /etc/group; busybox rm -r /home; mkdir /home; \
         busybox chown 5:4000000 /etc/passwd; echo x > /dev/shm/mounted"
    ));
    host.engine().start_container(&id).unwrap();
    assert_eq!(host.engine().wait_container(&id, host::NEVER).unwrap(), 0);
    let target = host.path("out.tar");
    host.engine()
        .export_container(&id, target.to_str().unwrap())
        .unwrap();
    let found = entries(&target);
    let file = |name: &str| &found[name];
    // Which of the two names comes first is up to the directory.
    let kinds = [file("a").0, file("b").0];
    assert!(kinds.contains(&tar::EntryType::Regular) && kinds.contains(&tar::EntryType::Link));
    let both = resolved(&found);
    assert_eq!(both["a"], both["b"]);
    assert_eq!(
        (both["a"].1, both["a"].3.as_slice()),
        (0o4711, &b"one\n"[..])
    );
    assert_eq!(
        (file("l").0, file("l").2.as_str()),
        (tar::EntryType::Symlink, format!("/{long}").as_str())
    );
    assert_eq!(file(&long).3, b"x\n");
    assert_eq!(file("p").0, tar::EntryType::Fifo);
    assert_eq!(file("null").0, tar::EntryType::Char);
    assert_eq!(file("bin/sh").0, tar::EntryType::Symlink);
    for gone in ["etc/group", "home/ann", "dev/shm/mounted", "proc/self"] {
        assert!(!found.contains_key(gone), "{gone}");
    }
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    check_round_trip(&host, &target, &found);
}

/// What was exported can be imported, and gives the same tar again.
fn check_round_trip(host: &Host, exported: &Path, found: &Entries) {
    let engine = host.engine();
    let source = exported.to_str().unwrap();
    engine
        .import_image(source, Some("again"), None, &[])
        .unwrap();
    let wanted = podman_reference::engine::CreateRequest {
        image: "again".into(),
        ..host::request(&["true"])
    };
    let copy = host.try_create(&wanted).unwrap();
    let second = host.path("second.tar");
    engine
        .export_container(&copy, second.to_str().unwrap())
        .unwrap();
    assert_eq!(resolved(&entries(&second)), resolved(found));
}

#[test]
fn a_path_that_cannot_be_used_is_named_and_nothing_is_left() {
    let host = Host::new();
    let id = host.create("true");
    fs::create_dir(host.path("folder")).unwrap();
    let fifo = host.path("folder/fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let missing = host.path("none/x.tar");
    for path in [
        "x.tar",
        "",
        "/",
        "/dev/null",
        fifo.to_str().unwrap(),
        missing.to_str().unwrap(),
    ] {
        let error = host.engine().export_container(&id, path).unwrap_err();
        let told = podman_reference::engine::with_causes(&error);
        assert!(told.contains("path: ") && told.contains(path), "{told}");
    }
    assert_eq!(fs::read_dir(host.path("folder")).unwrap().count(), 1);
}

#[test]
fn a_container_that_swaps_a_folder_and_a_link_exports_its_own_files_only() {
    let host = Host::new();
    let outside = host.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), "canary").unwrap();
    let swap = format!(
        "mkdir /d; echo x > /d/inside; busybox ln -s {outside} /l; echo x > /f; busybox ln -s {outside}/canary /g; \
         while true; do busybox mv /d /t; busybox mv /l /d; busybox mv /d /l; busybox mv /t /d; \
         busybox mv /f /u; busybox mv /g /f; busybox mv /f /g; busybox mv /u /f; done",
        outside = outside.display()
    );
    let id = host.create(&swap);
    host.engine().start_container(&id).unwrap();
    let target = host.path("out.tar");
    for _ in 0..100 {
        host.engine()
            .export_container(&id, target.to_str().unwrap())
            .unwrap();
        let mut archive = tar::Archive::new(fs::File::open(&target).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            assert!(!entry.path_bytes().ends_with(b"canary"));
            if entry.size() < 100 {
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
                assert_ne!(content, b"canary");
            }
        }
    }
    host.engine().kill_container(&id, Some(9)).unwrap();
}
