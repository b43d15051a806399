//! After a reboot of the host a container is as it was, but that none runs; and no process of the new boot is taken for one of the old.
#![expect(clippy::unwrap_used)] // helpers of tests

mod served;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use podman_reference::{runtime::cgroup_path, settings::Resources, sys::cgroup};
use rstest::rstest;
use serde_json::{Value, json};
use served::{Host, is_alive, left, until};

/// The exit code that nobody saw.
const UNKNOWN: i64 = -1;

impl Host {
    fn record(&self, id: &str, name: &str) -> PathBuf {
        self.root().join("containers").join(id).join(name)
    }

    fn change_record(&self, path: PathBuf, change: impl FnOnce(&mut Value)) {
        let mut record = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut record);
        fs::write(path, record.to_string()).unwrap();
    }

    /// What a reboot does: every process ends, mounts and the run directory are gone, and the records speak of an earlier boot.
    /// With `kept_runroot` somebody has put the run directory on a disk.
    fn reboot(&mut self, kept_runroot: bool) {
        let ids = self.containers();
        let running: Vec<_> = ids
            .iter()
            .filter(|id| self.status(id) == "running")
            .collect();
        let pids: Vec<_> = running.iter().map(|id| self.pid(id)).collect();
        self.kill();
        // The monitors first, so that none of them writes how its container ended.
        for pid in ids.iter().flat_map(|id| left::monitors(id)).chain(pids) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            until("the end of a process", || !is_alive(pid));
        }
        for id in &ids {
            let group = cgroup_path(id, &Resources::default());
            cgroup::remove(&group).unwrap();
            for record in [
                self.record(id, "init.json"),
                self.record(id, "exit.json"),
                left::run_directory(&self.runroot(), id).join("monitor.json"),
            ] {
                if record.exists() {
                    self.change_record(record, of_an_earlier_boot);
                }
            }
        }
        for point in left::mounts_below(&self.runroot()) {
            podman_reference::sys::mount::unmount_all(&point).unwrap();
        }
        if !kept_runroot {
            fs::remove_dir_all(self.runroot()).unwrap();
        }
    }
}

/// Changes the boot of every process in a record.
fn of_an_earlier_boot(record: &mut Value) {
    if let Some(members) = record.as_object_mut() {
        for (name, member) in members {
            if name == "boot_id" {
                *member = "7d0e0f3a-0000-4000-8000-5f3c0a1b2c3d".into();
            }
            of_an_earlier_boot(member);
        }
    }
}

#[test]
fn one_that_was_not_to_be_kept_is_gone() {
    let mut host = Host::new();
    let create = json!({
        "image": host.image, "command": ["/bin/sleep", "1000"], "net_mode": "none", "rm": true,
    });
    let id = host.call("CreateContainer", &json!({ "create": create }))["container"].clone();
    host.call("StartContainer", &json!({ "name": id }));
    host.reboot(false);
    host.start();
    until("its removal", || host.containers().is_empty());
}

#[rstest]
#[case::with_an_empty_run_directory(false)]
#[case::with_a_run_directory_that_was_kept(true)]
fn who_ran_has_exited_unseen_who_had_exited_keeps_its_code_who_was_created_still_is(
    #[case] kept_runroot: bool,
) {
    let mut host = Host::new();
    let running = host.run("echo first; exec sleep 1000");
    let exited = host.run("exit 3");
    assert_eq!(host.wait(&exited), 3);
    let created = host.create("exit 4");
    until("its line", || host.log(&running).len() == 1);
    host.reboot(kept_runroot);
    host.start();
    for (id, status) in [
        (&running, "exited"),
        (&exited, "exited"),
        (&created, "configured"),
    ] {
        assert_eq!(host.status(id), status);
        assert_eq!(host.get(id)["containerrunning"], false);
    }
    assert_eq!((host.wait(&running), host.wait(&exited)), (UNKNOWN, 3));
    assert_eq!(host.log(&running), ["first"]);
    // A second daemon of the same boot tells the same.
    host.kill();
    host.start();
    assert_eq!((host.wait(&running), host.wait(&exited)), (UNKNOWN, 3));
}

#[test]
fn all_of_them_can_be_started_again_and_removed() {
    let mut host = Host::new();
    let script = "test -e /mark && exit 5; echo > /mark; exec sleep 1000";
    let (running, created) = (host.run(script), host.create("exit 5"));
    let mark = host
        .root()
        .join("containers")
        .join(&running)
        .join("upper/mark");
    until("its file", || mark.exists());
    let unused = host.run("exec sleep 1000");
    host.reboot(false);
    host.start();
    for id in [&running, &created] {
        host.call("StartContainer", &json!({ "name": id }));
        assert_eq!(host.wait(id), 5);
    }
    for id in [&running, &created, &unused] {
        host.call("RemoveContainer", &json!({ "name": id }));
        let left = left::of_container(&host.root(), &host.runroot(), id);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn one_that_is_removed_with_its_end_is_gone() {
    let mut host = Host::new();
    let mut request = served::request(&host.image, None, "exec sleep 1000");
    request["create"]["rm"] = true.into();
    let reply = host.call("CreateContainer", &request);
    let id = reply["container"].as_str().unwrap().to_owned();
    host.call("StartContainer", &json!({ "name": id }));
    host.reboot(false);
    host.start();
    until("its removal", || host.containers().is_empty());
    until("the removal of its files", || {
        left::of_container(&host.root(), &host.runroot(), &id).is_empty()
    });
}

/// A process that has nothing to do with any container.
struct Bystander(Child);

impl Bystander {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes the records of a container name another process: by its pid alone, as if the kernel had given it again.
#[rstest]
#[case::later_in_the_same_boot(false)]
#[case::after_a_reboot(true)]
fn a_process_that_got_the_pid_of_a_container_or_its_monitor_is_left_alone(#[case] reboot: bool) {
    let mut host = Host::new();
    let id = host.run("exec sleep 1000");
    let bystander = Bystander::start();
    host.reboot(true);
    let monitor = left::run_directory(&host.runroot(), &id).join("monitor.json");
    for record in [host.record(&id, "init.json"), monitor] {
        host.change_record(record, |record| pass_on(record, bystander.pid(), reboot));
    }
    host.start();
    assert_eq!(host.status(&id), "exited");
    assert_eq!(host.wait(&id), UNKNOWN);
    host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
    let refusal = host.try_call("KillContainer", &json!({ "name": id, "signal": 9 }));
    assert_eq!(refusal.unwrap_err().error, "ErrorOccurred");
    host.call("StartContainer", &json!({ "name": id }));
    assert_ne!(host.pid(&id), bystander.pid());
    host.remove(&id);
    assert!(is_alive(bystander.pid()));
}

/// Gives every process in a record this pid. In the same boot its start time tells it from the container's; after a reboot it
/// may even have that in common.
fn pass_on(record: &mut Value, pid: i32, reboot: bool) {
    let members = record.as_object_mut().unwrap();
    for process in ["process", "monitor"] {
        let Some(process) = members.get_mut(process) else {
            continue;
        };
        process["pid"] = pid.into();
        if reboot {
            process["start_time"] = start_time(pid).into();
        } else {
            process["boot_id"] = boot_id().into();
        }
    }
}

fn start_time(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let rest = stat.rsplit(')').next().unwrap();
    rest.split_whitespace().nth(19).unwrap().parse().unwrap()
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    id.trim().to_owned()
}
