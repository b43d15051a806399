//! What a program finds inside.

use podman_reference::runtime::{Network, User};
use rstest::rstest;

use crate::fixture::Fixture;

fn status(field: &str) -> String {
    let lines = Fixture::command(&["/bin/cat", "/proc/self/status"]).output();
    let line = lines.iter().find(|line| line.starts_with(field)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn no_descriptor_leaks_into_the_container() {
    // 3 is the directory that ls reads.
    let fixture = Fixture::command(&["/bin/ls", "-1", "/proc/self/fd"]);
    assert_eq!(fixture.output(), ["0", "1", "2", "3"]);
}

#[rstest]
#[case::effective("CapEff:", "00000000a80425fb")]
#[case::bounding("CapBnd:", "00000000a80425fb")]
#[case::inheritable("CapInh:", "0000000000000000")]
#[case::ambient("CapAmb:", "0000000000000000")]
#[case::seccomp("Seccomp:", "2")]
#[case::blocked_signals("SigBlk:", "0000000000000000")]
#[case::ignored_signals("SigIgn:", "0000000000000000")]
fn a_program_starts_with(#[case] field: &str, #[case] value: &str) {
    assert_eq!(status(field), value);
}

#[rstest]
#[case::mount("busybox mount -t tmpfs none /tmp")]
#[case::unshare("busybox unshare -m true")]
#[case::core_pattern("echo x > /proc/sys/kernel/core_pattern")]
#[case::sysrq("echo h > /proc/sysrq-trigger")]
#[case::disk("busybox mknod /dev/disk b 254 0 && cat /dev/disk")]
#[case::cgroup_file("echo 1 > /sys/fs/cgroup/pids/pids.max || echo 1 > /sys/fs/cgroup/pids.max")]
#[case::cgroup("busybox mkdir /sys/fs/cgroup/cpu/x || busybox mkdir /sys/fs/cgroup/x")]
fn what_acts_on_the_host_is_refused(#[case] script: &str) {
    let script = format!("({script}) 2>/dev/null && echo DONE || echo refused");
    let lines = Fixture::shell(&script).output();
    assert_eq!(lines.last().unwrap(), "refused", "{lines:?}");
}

#[test]
fn the_standard_devices_are_there_and_no_other() {
    let lines = Fixture::shell("busybox ls -1 /dev; echo x > /dev/null").output();
    assert_eq!(
        lines.join(" "),
        "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
    );
}

#[test]
fn it_has_its_own_host_name_network_and_processes() {
    let fixture = Fixture::shell("hostname; echo $$; busybox ls /sys/class/net; busybox ip link");
    let lines = fixture.output();
    assert_eq!(lines[..3], ["inside", "1", "lo"]);
    assert!(lines[3].contains("UP"), "{lines:?}");
}

#[test]
fn with_the_host_network_it_sees_the_hosts_devices() {
    let mut fixture = Fixture::command(&["/bin/cat", "/proc/net/dev"]);
    fixture.setup.network = Network::Host;
    let names = |text: &str| -> Vec<String> {
        let names = text.lines().skip(2).filter_map(|line| line.split_once(':'));
        names.map(|(name, _)| name.trim().to_owned()).collect()
    };
    let host = std::fs::read_to_string("/proc/net/dev").unwrap();
    assert_eq!(names(&fixture.output().join("\n")), names(&host));
}

#[test]
fn it_runs_as_the_user_and_in_the_directory_asked_for() {
    let mut fixture = Fixture::shell("id -u; id -g; id -G; busybox pwd; echo $HOME");
    fixture.setup.user = User {
        uid: 7,
        gid: 8,
        groups: vec![9],
    };
    fixture.setup.cwd = "/made/up".into();
    assert_eq!(fixture.output(), ["7", "8", "8 9", "/made/up", "/"]);
}
