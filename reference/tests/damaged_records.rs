//! A damaged record costs what it alone told: the daemon starts, names the file, and everything else is as before.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod served;

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;
use serde_json::json;
use served::{Host, is_alive, left, until};

const UNKNOWN: i64 = -1;

/// Ways in which a file comes to harm.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Cut,
    Emptied,
    Zeroed,
    Garbled,
    Replaced(&'static str),
}

const HARMS: [Harm; 6] = [
    Harm::Cut,
    Harm::Emptied,
    Harm::Zeroed,
    Harm::Garbled,
    Harm::Replaced("[]"),
    Harm::Replaced("{}"),
];

impl Harm {
    fn befall(self, path: &Path) {
        let content = fs::read(path).unwrap();
        let harmed = match self {
            Self::Cut => content[..content.len() / 2].to_vec(),
            Self::Emptied => Vec::new(),
            Self::Zeroed => vec![0; content.len()],
            // Neither UTF-8 nor JSON.
            Self::Garbled => content.iter().map(|byte| byte ^ 0xa5).collect(),
            Self::Replaced(text) => text.into(),
        };
        fs::write(path, harmed).unwrap();
    }
}

/// Three containers that nothing befalls: one that runs, one that has ended, one that was only created.
struct Others {
    running: String,
    pid: i32,
    exited: String,
    created: String,
}

impl Others {
    fn make(host: &Host) -> Self {
        let running = host.run("echo line; exec sleep 1000");
        let exited = host.run("exit 3");
        assert_eq!(host.wait(&exited), 3);
        until("its line", || host.log(&running).len() == 1);
        Self {
            pid: host.pid(&running),
            running,
            exited,
            created: host.create("exit 4"),
        }
    }

    fn assert_unaffected(&self, host: &Host) {
        assert_eq!(host.status(&self.running), "running");
        assert_eq!(host.pid(&self.running), self.pid);
        assert_eq!(host.log(&self.running), ["line"]);
        assert_eq!(host.wait(&self.exited), 3);
        assert_eq!(host.status(&self.created), "configured");
    }
}

/// Lets the harm befall the file while no daemon runs; the next one names the file and serves the others.
fn harm_and_restart(host: &mut Host, others: &Others, harm: Harm, path: &Path) {
    host.kill();
    let before = host.said().len();
    harm.befall(path);
    host.start();
    let said = host.said().split_off(before);
    assert!(said.contains(path.to_str().unwrap()), "{harm:?}: {said}");
    others.assert_unaffected(host);
    // The damage is dealt with once.
    host.kill();
    let before = host.said().len();
    host.start();
    let said = host.said().split_off(before);
    assert!(!said.contains("WARN"), "{harm:?}: {said}");
    others.assert_unaffected(host);
}

fn of_container(host: &Host, id: &str, name: &str) -> PathBuf {
    host.root().join("containers").join(id).join(name)
}

fn of_image(host: &Host, id: &str, name: &str) -> PathBuf {
    host.root().join("images").join(id).join(name)
}

fn images(host: &Host) -> Vec<String> {
    let listed = host.call("ListImages", &json!({}));
    let all = listed["images"].as_array().into_iter().flatten();
    all.map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[rstest]
#[case::record("record.json")]
#[case::configuration("config.json")]
fn an_image_is_no_more_and_can_be_imported_again(#[case] file: &str) {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let spare = host.import_with("spare", &["LABEL=a=b"]);
        let record = of_image(&host, &spare, file);
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!(images(&host), [host.image.clone()], "{harm:?}");
    }
}

#[test]
fn the_containers_of_a_damaged_image_go_on_and_can_be_started() {
    let mut host = Host::new();
    let others = Others::make(&host);
    let record = of_image(&host, &host.image, "record.json");
    harm_and_restart(&mut host, &others, Harm::Cut, &record);
    assert!(images(&host).is_empty());
    host.call("StartContainer", &json!({ "name": others.created }));
    assert_eq!(host.wait(&others.created), 4);
}

#[test]
fn a_container_that_does_not_run_is_no_more_and_its_name_is_free() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.create_named(Some("harmed"), "exit 5");
        host.call("StartContainer", &json!({ "name": id }));
        assert_eq!(host.wait(&id), 5);
        // Its copy goes with the run.
        host.kill();
        host.start();
        let record = of_container(&host, &id, "record.json");
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!(host.containers().len(), 3, "{harm:?}");
        let left = left::of_container(&host.root(), &host.runroot(), &id);
        assert!(left.is_empty(), "{harm:?}: {left:?}");
    }
}

/// The copy of a container's record, which is there since its start.
fn copy_of_record(host: &Host, id: &str) -> PathBuf {
    left::run_directory(&host.runroot(), id).join("record.json")
}

#[test]
fn a_running_containers_record_is_made_anew() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.create_named(Some("harmed"), "exec sleep 1000");
        host.call("StartContainer", &json!({ "name": id }));
        let record = of_container(&host, &id, "record.json");
        let (before, whole) = (host.get("harmed"), fs::read(&record).unwrap());
        harm_and_restart(&mut host, &others, harm, &record);
        let after = host.get("harmed");
        for member in [
            "id",
            "image",
            "command",
            "createdat",
            "status",
            "namespaces",
        ] {
            assert_eq!(after[member], before[member], "{harm:?}");
        }
        assert_eq!(fs::read(&record).unwrap(), whole, "{harm:?}");
        assert!(of_container(&host, &id, "record.json.damaged").exists());
        host.call("StopContainer", &json!({ "name": "harmed", "timeout": 0 }));
        host.remove("harmed");
        let left = left::of_container(&host.root(), &host.runroot(), &id);
        assert!(left.is_empty(), "{harm:?}: {left:?}");
    }
}

#[test]
fn a_running_container_does_not_need_the_copy_of_its_record() {
    let mut host = Host::new();
    let others = Others::make(&host);
    let id = host.run("exec sleep 1000");
    for harm in HARMS {
        host.kill();
        harm.befall(&copy_of_record(&host, &id));
        host.start();
        assert_eq!(host.status(&id), "running", "{harm:?}");
        others.assert_unaffected(&host);
    }
}

#[test]
fn a_running_container_goes_on_without_the_record_of_its_start() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.run("trap 'exit 6' TERM; while true; do sleep 0.05; done");
        let pid = host.pid(&id);
        let record = of_container(&host, &id, "init.json");
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!((host.status(&id).as_str(), host.pid(&id)), ("running", pid));
        host.call("StopContainer", &json!({ "name": id, "timeout": 20 }));
        assert_eq!(host.wait(&id), 6, "{harm:?}");
        assert!(!is_alive(pid));
        host.remove(&id);
    }
}

#[test]
fn a_running_container_goes_on_without_the_record_of_its_monitor() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.run("trap 'exit 6' TERM; while true; do sleep 0.05; done");
        let pid = host.pid(&id);
        let record = left::run_directory(&host.runroot(), &id).join("monitor.json");
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!((host.status(&id).as_str(), host.pid(&id)), ("running", pid));
        host.call("StopContainer", &json!({ "name": id, "timeout": 20 }));
        assert_eq!(host.wait(&id), 6, "{harm:?}");
        host.remove(&id);
    }
}

#[test]
fn an_end_is_known_without_the_record_of_the_start() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.run("exit 6");
        assert_eq!(host.wait(&id), 6);
        let record = of_container(&host, &id, "init.json");
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!((host.status(&id).as_str(), host.wait(&id)), ("exited", 6));
        host.remove(&id);
    }
}

#[test]
fn an_end_whose_record_is_damaged_counts_as_unseen() {
    let mut host = Host::new();
    let others = Others::make(&host);
    for harm in HARMS {
        let id = host.run("exit 6");
        assert_eq!(host.wait(&id), 6);
        let record = of_container(&host, &id, "exit.json");
        harm_and_restart(&mut host, &others, harm, &record);
        assert_eq!(host.status(&id), "exited");
        assert_eq!(host.wait(&id), UNKNOWN, "{harm:?}");
        host.call("StartContainer", &json!({ "name": id }));
        assert_eq!(host.wait(&id), 6);
        host.remove(&id);
    }
}

#[test]
fn a_run_without_any_good_record_has_ended_unseen_and_is_not_forgotten() {
    let mut host = Host::new();
    let others = Others::make(&host);
    let id = host.run("exit 6");
    assert_eq!(host.wait(&id), 6);
    fs::write(of_container(&host, &id, "exit.json"), "").unwrap();
    let record = of_container(&host, &id, "init.json");
    harm_and_restart(&mut host, &others, Harm::Emptied, &record);
    assert_eq!(
        (host.status(&id).as_str(), host.wait(&id)),
        ("exited", UNKNOWN)
    );
}

#[test]
fn a_running_container_does_not_need_the_record_of_an_earlier_end() {
    let mut host = Host::new();
    let others = Others::make(&host);
    let id = host.run("test -e /mark && exec sleep 1000; echo > /mark");
    assert_eq!(host.wait(&id), 0);
    host.call("StartContainer", &json!({ "name": id }));
    let pid = host.pid(&id);
    let record = of_container(&host, &id, "exit.json");
    harm_and_restart(&mut host, &others, Harm::Cut, &record);
    assert_eq!((host.status(&id).as_str(), host.pid(&id)), ("running", pid));
}

/// Lines for a while, each after a look at a file of the image's. A container that nobody lists must not outlast a test that fails.
const COUNTS: &str = "n=0; while [ $n -lt 1500 ] && cat /bin/busybox >/dev/null; do n=$((n+1)); echo $n; sleep 0.01; done";

/// Whether a container that nobody lists goes on writing, and so finds its files.
fn goes_on(host: &Host, id: &str) -> bool {
    let log = of_container(host, id, "ctr.log");
    let length = || fs::metadata(&log).unwrap().len();
    let before = length();
    until("further lines", || length() > before + 500);
    true
}

#[test]
fn a_running_container_goes_on_unlisted_and_comes_back_with_a_mended_record() {
    let mut host = Host::new();
    let others = Others::make(&host);
    let id = host.run(COUNTS);
    let (pid, record) = (host.pid(&id), of_container(&host, &id, "record.json"));
    host.kill();
    let whole = fs::read(&record).unwrap();
    Harm::Cut.befall(&record);
    Harm::Cut.befall(&copy_of_record(&host, &id));
    host.start();
    others.assert_unaffected(&host);
    assert_eq!(host.containers().len(), 3);
    let said = host.said();
    assert!(said.contains(record.to_str().unwrap()), "{said}");
    assert!(said.contains(&format!("pids=\"{pid}")), "{said}");
    assert!(is_alive(pid) && goes_on(&host, &id));
    host.kill();
    fs::write(&record, whole).unwrap();
    host.start();
    assert_eq!((host.pid(&id), host.status(&id).as_str()), (pid, "running"));
    for (line, number) in host.log(&id).iter().zip(1..) {
        assert_eq!(line, &number.to_string());
    }
    host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
    assert_eq!(host.wait(&id), 137);
}

#[test]
fn a_running_container_that_is_not_listed_keeps_its_files_until_it_has_ended() {
    let mut host = Host::new();
    let id = host.run(COUNTS);
    let pid = host.pid(&id);
    host.kill();
    Harm::Cut.befall(&of_container(&host, &id, "record.json"));
    fs::remove_file(copy_of_record(&host, &id)).unwrap();
    host.start();
    // Nothing tells any more that it uses the image's layer.
    host.call("RemoveImage", &json!({ "name": host.image }));
    assert!(goes_on(&host, &id));
    host.kill();
    host.start();
    assert!(goes_on(&host, &id));
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    until("its monitor's end", || left::monitors(&id).is_empty());
    for _ in 0..2 {
        host.kill();
        host.start();
    }
    assert_eq!(left::of_engine(&host.root(), &host.runroot()), [""; 0]);
    assert_eq!(left::outside(&host.runroot(), &id), [""; 0]);
    let names = |below: &str| fs::read_dir(host.root().join(below)).unwrap().count();
    assert_eq!((names("set-aside"), names("layers")), (1, 0));
}
