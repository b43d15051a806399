//! The changes of a container are those that it made: no more, no less, and never a look outside of it.

mod host;

use host::Host;
use rstest::rstest;

#[rstest]
#[case::nothing("true", &[], &[], &[])]
#[case::opened_for_writing_only(": >> /etc/group", &[], &[], &[])]
#[case::owner_set_to_what_it_was("busybox chown 0:0 /etc/group", &[], &[], &[])]
#[case::content("echo x > /etc/group", &["/etc/group"], &[], &[])]
#[case::same_length("s=$(cat /etc/group); echo \"${s%n}m\" > /etc/group", &["/etc/group"], &[], &[])]
#[case::mode("busybox chmod 600 /etc/group", &["/etc/group"], &[], &[])]
#[case::mode_of_a_folder("busybox chmod 700 /home/ann", &["/home/ann"], &[], &[])]
#[case::new("mkdir -p /new/sub; echo x > /new/sub/f", &[], &["/new", "/new/sub", "/new/sub/f"], &[])]
#[case::in_a_folder_of_the_image("echo x > /home/ann/f", &["/home/ann"], &["/home/ann/f"], &[])]
#[case::beside_the_engines_files("echo x > /etc/f", &["/etc"], &["/etc/f"], &[])]
#[case::deleted("busybox rm /etc/group", &["/etc"], &[], &["/etc/group"])]
#[case::a_deleted_folder("busybox rm -r /home", &[], &[], &["/home"])]
#[case::a_folder_made_anew("busybox rm -r /home; mkdir /home", &["/home"], &[], &["/home/ann"])]
#[case::a_folder_made_anew_with_the_same_content("busybox rm -r /home; mkdir -p /home/ann/x", &["/home", "/home/ann"], &["/home/ann/x"], &[])]
#[case::a_link_for_a_folder("busybox rm -r /home; busybox ln -s /etc /home", &["/home"], &[], &["/home/ann"])]
#[case::a_folder_for_a_file("busybox rm /etc/group; mkdir /etc/group; echo x > /etc/group/f", &["/etc/group"], &["/etc/group/f"], &[])]
#[case::in_a_mount_only("echo x > /dev/shm/f; echo x > /etc/hosts", &[], &[], &[])]
fn what_a_container_did_is_told(
    #[case] script: &str,
    #[case] changed: &[&str],
    #[case] added: &[&str],
    #[case] deleted: &[&str],
) {
    let host = Host::new();
    let id = host.create(script);
    host.engine().start_container(&id).unwrap();
    host.engine().wait_container(&id, host::NEVER).unwrap();
    let found = host.engine().container_changes(&id).unwrap();
    assert_eq!(found.added, added);
    assert_eq!(found.deleted, deleted);
    assert_eq!(found.changed, changed);
}

#[test]
fn a_working_directory_is_told_once_the_container_uses_it() {
    let host = Host::new();
    let mut added = Vec::new();
    for script in ["true", "echo x > f"] {
        let wanted = podman_reference::engine::CreateRequest {
            work_dir: Some("/w/x".into()),
            ..host::request(&["sh", "-c", script])
        };
        let id = host.try_create(&wanted).unwrap();
        host.engine().start_container(&id).unwrap();
        host.engine().wait_container(&id, host::NEVER).unwrap();
        added.push(host.engine().container_changes(&id).unwrap().added);
    }
    assert!(added[0].is_empty(), "{added:?}");
    assert_eq!(added[1], ["/w", "/w/x", "/w/x/f"]);
}

#[test]
fn a_container_that_swaps_a_folder_and_a_link_leads_nobody_outside() {
    let host = Host::new();
    let outside = host.path("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("canary"), "canary").unwrap();
    let swap = format!(
        "mkdir /d; echo x > /d/inside; busybox ln -s {} /l; \
         while true; do busybox mv /d /t; busybox mv /l /d; busybox mv /d /l; busybox mv /t /d; done",
        outside.display()
    );
    let id = host.create(&swap);
    host.engine().start_container(&id).unwrap();
    for _ in 0..100 {
        let found = host.engine().container_changes(&id).unwrap();
        let strangers = |path: &String| path.contains("canary");
        assert!(!found.added.iter().any(strangers), "{found:?}");
    }
    host.engine().kill_container(&id, Some(9)).unwrap();
}
