//! Killed between any two steps, daemon or monitor, the next daemon finds every object whole or absent, and nothing else.
#![cfg(feature = "kill-points")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod served;

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::libc::SIGKILL;
use podman_reference::sys::kill_point::Point;
use rstest::rstest;
use serde_json::{Value, json};
use served::{Host, Refusal, left, until};

const UNKNOWN: i64 = -1;
/// The operations and processes whose points are below.
const OPERATIONS: [&str; 13] = [
    "import",
    "create",
    "start",
    "monitor",
    "monitor-end",
    "stop",
    "end",
    "remove",
    "remove-image",
    "export",
    "pause",
    "unpause",
    "restart",
];

#[test]
fn every_point_belongs_to_a_test() {
    let all: usize = OPERATIONS.iter().map(|one| points(one).count()).sum();
    assert_eq!(all, Point::ALL.len());
}

fn points(operation: &str) -> impl Iterator<Item = Point> {
    let of = move |point: &Point| point.name().split('.').next() == Some(operation);
    Point::ALL.iter().copied().filter(of)
}

impl Host {
    fn arm(&self, point: Point) {
        fs::write(self.kill_point(), point.name()).unwrap();
    }

    fn disarm(&self) {
        fs::remove_file(self.kill_point()).unwrap();
    }

    /// Calls, and the daemon dies of it at the point; then there is the next one.
    fn die_at(&mut self, point: Point, method: &str, parameters: &Value) {
        self.arm(point);
        let mut client = self.client();
        let method = format!("io.projectatomic.podman.{method}");
        client.send(&json!({ "method": method, "parameters": parameters }).to_string());
        let mut daemon = self.daemon.take().unwrap();
        let mut status = None;
        until(point.name(), || {
            status = daemon.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().signal(), Some(SIGKILL), "{point:?}");
        self.disarm();
        self.start();
    }

    fn in_state(&self, status: &str) -> Vec<String> {
        let mut ids = self.containers();
        ids.retain(|id| self.status(id) == status);
        ids
    }

    /// Every container is as it says, and there is nothing besides. A monitor whose daemon died before it was known takes a moment to
    /// give up.
    fn assert_sound(&self, point: Point) {
        let (known, mut running) = (self.containers(), self.in_state("running"));
        running.extend(self.in_state("paused"));
        let strays = || left::strays(&self.root(), &self.runroot(), &known, &running);
        let end = Instant::now() + Duration::from_secs(10);
        while !strays().is_empty() {
            assert!(Instant::now() < end, "{point:?}: {:?}", strays());
            sleep(Duration::from_millis(10));
        }
        for id in known.iter().filter(|id| !running.contains(id)) {
            self.assert_at_rest(point, id);
        }
        for id in &running {
            assert_eq!(left::monitors(id).len(), 1, "{point:?}");
        }
    }

    fn assert_at_rest(&self, point: Point, id: &str) {
        let left = left::outside(&self.runroot(), id);
        assert!(left.is_empty(), "{point:?}: {left:?}");
    }

    fn remove_entirely(&self, point: Point, id: &str) {
        self.remove(id);
        let left = left::of_container(&self.root(), &self.runroot(), id);
        assert!(left.is_empty(), "{point:?}: {left:?}");
    }

    fn try_start(&self, id: &str) -> Result<Value, Refusal> {
        self.try_call("StartContainer", &json!({ "name": id }))
    }
}

#[test]
fn a_create_makes_a_whole_container_or_none() {
    let mut host = Host::new();
    let mut request = served::request(&host.image, Some("it"), "exit 3");
    request["create"]["resources"] = json!({ "cpu_shares": 300 });
    for point in points("create") {
        let volumes = ["one", "other"].map(|name| format!("{}-{name}", point.name()));
        let [one, other] = &volumes;
        request["create"]["volumes"] =
            json!([format!("{one}:/bin"), "/own", format!("{other}:/home")]);
        let daemon = host.daemon().child.id().to_string();
        host.die_at(point, "CreateContainer", &request);
        let trials = left::trials();
        let of_it = |name: &&String| name.split('-').any(|word| word == daemon);
        assert_eq!(trials.iter().find(of_it), None, "{point:?}");
        host.assert_sound(point);
        // With the container, both volumes are there, and as a whole; without it none is.
        let is_there = !host.containers().is_empty();
        let whole = [one.clone() + "/busybox", other.clone() + "/ann"];
        for path in volumes.iter().chain(&whole) {
            let path = host.root().join("volumes").join(path);
            assert_eq!(path.exists(), is_there, "{point:?} {}", path.display());
        }
        for id in host.containers() {
            assert_eq!(host.status("it"), "configured", "{point:?}");
            host.call("StartContainer", &json!({ "name": id }));
            assert_eq!(host.wait(&id), 3);
            host.remove_entirely(point, &id);
        }
        let id = host.create_named(Some("it"), "exit 3");
        host.remove_entirely(point, &id);
    }
}

/// A container that has never run or, the second time, has exited with 3; its next start runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Created,
    Exited,
}

impl Before {
    fn make(self, host: &Host) -> String {
        let id = host.create("test -e /go && exec sleep 1000; exit 3");
        if self == Self::Exited {
            host.call("StartContainer", &json!({ "name": id }));
            assert_eq!(host.wait(&id), 3);
        }
        let upper = host.root().join("containers").join(&id).join("upper");
        fs::write(upper.join("go"), "").unwrap();
        id
    }

    fn assert_is(self, point: Point, host: &Host, id: &str) {
        match self {
            Self::Created => assert_eq!(host.status(id), "configured", "{point:?}"),
            Self::Exited => {
                assert_eq!(host.status(id), "exited", "{point:?}");
                assert_eq!(host.wait(id), 3, "{point:?}");
            }
        }
    }
}

#[rstest]
#[case(Before::Created)]
#[case(Before::Exited)]
fn a_start_runs_one_container_or_leaves_it_as_it_was(#[case] before: Before) {
    let mut host = Host::new();
    for point in points("start") {
        let id = before.make(&host);
        host.die_at(point, "StartContainer", &json!({ "name": id }));
        host.assert_sound(point);
        if host.status(&id) != "running" {
            before.assert_is(point, &host, &id);
            host.call("StartContainer", &json!({ "name": id }));
        }
        host.call("KillContainer", &json!({ "name": id, "signal": 9 }));
        assert_eq!(host.wait(&id), 137, "{point:?}");
        host.assert_sound(point);
        host.remove_entirely(point, &id);
    }
}

#[rstest]
#[case(Before::Created, false)]
#[case::and_the_daemon(Before::Exited, true)]
fn a_start_whose_monitor_dies_leaves_the_container_as_it_was(
    #[case] before: Before,
    #[case] daemon_too: bool,
) {
    let mut host = Host::new();
    for point in points("monitor").filter(|point| *point != Point::MonitorReported) {
        let id = before.make(&host);
        host.arm(point);
        let refusal = host.try_start(&id).unwrap_err();
        assert_eq!(refusal.error, "ErrorOccurred", "{point:?}");
        host.disarm();
        for round in 0..2 {
            host.assert_sound(point);
            if point == Point::MonitorStartRecorded {
                // Its program ran, and nobody saw its end.
                assert_eq!(host.status(&id), "exited", "{point:?} {round}");
                assert_eq!(host.wait(&id), UNKNOWN);
            } else {
                before.assert_is(point, &host, &id);
            }
            if daemon_too {
                host.kill();
                host.start();
            }
        }
        host.call("StartContainer", &json!({ "name": id }));
        host.assert_sound(point);
        host.remove_entirely(point, &id);
    }
}

#[rstest]
#[case(false)]
#[case::and_the_daemon(true)]
fn a_container_whose_monitor_dies_right_after_the_start_runs_on(#[case] daemon_too: bool) {
    let mut host = Host::new();
    let id = Before::Created.make(&host);
    host.arm(Point::MonitorReported);
    host.call("StartContainer", &json!({ "name": id }));
    until("the monitor's end", || left::monitors(&id).is_empty());
    host.disarm();
    if daemon_too {
        host.kill();
        host.start();
    }
    assert_eq!(host.status(&id), "running");
    host.call("KillContainer", &json!({ "name": id, "signal": 9 }));
    assert_eq!(host.wait(&id), UNKNOWN);
    host.call("StartContainer", &json!({ "name": id }));
    host.assert_sound(Point::MonitorReported);
    host.remove_entirely(Point::MonitorReported, &id);
}

#[rstest]
#[case(false)]
#[case::while_no_daemon_serves(true)]
fn an_end_whose_monitor_dies_is_known_or_unseen(#[case] daemon_too: bool) {
    let mut host = Host::new();
    for point in points("monitor-end") {
        let id = host.create("while ! test -e /go; do sleep 0.05; done; exit 6");
        host.arm(point);
        host.call("StartContainer", &json!({ "name": id }));
        if daemon_too {
            host.kill();
        }
        let inside = host.runroot().join("mounts").join(&id);
        fs::write(inside.join("go"), "").unwrap();
        until("the monitor's end", || left::monitors(&id).is_empty());
        host.disarm();
        if daemon_too {
            host.start();
        }
        let code = match point {
            Point::MonitorEndRecorded => 6,
            _ => UNKNOWN,
        };
        assert_eq!(host.wait(&id), code, "{point:?}");
        host.call("StartContainer", &json!({ "name": id }));
        assert_eq!(host.wait(&id), 6, "{point:?}");
        host.assert_sound(point);
        host.remove_entirely(point, &id);
    }
}

#[test]
fn a_stop_has_stopped_the_container_or_can_be_repeated() {
    let mut host = Host::new();
    for point in points("stop") {
        let id = host.run("trap '' TERM; echo ready; while true; do sleep 0.1; done");
        until("its line", || host.log(&id).len() == 1);
        host.die_at(point, "StopContainer", &json!({ "name": id, "timeout": 1 }));
        // What was killed may still be ending.
        let status = host.status(&id);
        assert!(
            ["running", "exited"].contains(&&*status),
            "{point:?}: {status}"
        );
        host.call("StopContainer", &json!({ "name": id, "timeout": 0 }));
        assert_eq!(host.status(&id), "exited", "{point:?}");
        assert_eq!(host.wait(&id), 137, "{point:?}");
        host.assert_sound(point);
        host.remove_entirely(point, &id);
    }
}

#[test]
fn an_end_that_was_being_noted_is_noted_by_the_next_daemon() {
    let mut host = Host::new();
    for point in points("end") {
        let id = host.run("exec sleep 1000");
        let kill = json!({ "name": id, "signal": 9 });
        host.die_at(point, "KillContainer", &kill);
        assert_eq!(host.status(&id), "exited", "{point:?}");
        assert_eq!(host.wait(&id), 137, "{point:?}");
        host.assert_sound(point);
        host.call("StartContainer", &json!({ "name": id }));
        host.remove_entirely(point, &id);
    }
}

#[test]
fn a_container_that_removes_itself_is_gone_with_the_next_daemon() {
    let mut host = Host::new();
    let mut request = served::request(&host.image, Some("it"), "exec sleep 1000");
    request["create"]["rm"] = true.into();
    for point in points("end").chain(points("remove")) {
        let reply = host.call("CreateContainer", &request);
        let id = reply["container"].as_str().unwrap().to_owned();
        host.call("StartContainer", &json!({ "name": id }));
        let kill = json!({ "name": id, "signal": 9 });
        host.die_at(point, "KillContainer", &kill);
        until("its removal", || host.containers().is_empty());
        until("the removal of its files", || {
            left::of_engine(&host.root(), &host.runroot()).is_empty()
        });
        host.assert_at_rest(point, &id);
    }
}

#[rstest]
#[case::that_has_exited("exit 3")]
#[case::that_runs("exec sleep 1000")]
fn a_removal_has_removed_the_container_or_can_be_repeated(#[case] script: &str) {
    let mut host = Host::new();
    for point in points("remove") {
        let id = host.create_named(Some("it"), script);
        host.call("StartContainer", &json!({ "name": id }));
        if script == "exit 3" {
            host.wait(&id);
        }
        let remove = json!({ "name": id, "force": true });
        host.die_at(point, "RemoveContainer", &remove);
        host.assert_sound(point);
        assert_eq!(host.in_state("running"), [""; 0], "{point:?}");
        if host.containers() == [id.clone()] {
            host.call("RemoveContainer", &json!({ "name": id }));
        }
        let left = left::of_container(&host.root(), &host.runroot(), &id);
        assert!(left.is_empty(), "{point:?}: {left:?}");
        assert!(host.containers().is_empty(), "{point:?}");
        let next = host.create_named(Some("it"), "true");
        host.remove(&next);
    }
}

#[test]
fn a_pause_has_paused_the_container_or_lets_it_run() {
    let mut host = Host::new();
    for point in points("pause").chain(points("unpause")) {
        let id = host.run("n=0; while true; do n=$((n+1)); echo $n; sleep 0.01; done");
        until("its lines", || host.log(&id).len() > 3);
        let name = json!({ "name": id });
        let method = match point {
            Point::UnpauseThawed => {
                host.call("PauseContainer", &name);
                "UnpauseContainer"
            }
            _ => "PauseContainer",
        };
        host.die_at(point, method, &name);
        host.assert_sound(point);
        let (status, before) = (host.status(&id), host.log(&id).len());
        let wanted = match point {
            Point::PauseFrozen | Point::PauseNoted => "paused",
            _ => "running",
        };
        assert_eq!(status, wanted, "{point:?}");
        if status == "paused" {
            sleep(Duration::from_millis(200));
            assert_eq!(host.log(&id).len(), before, "{point:?}");
            host.call("UnpauseContainer", &name);
        }
        until("further lines", || host.log(&id).len() > before + 3);
        host.call("PauseContainer", &name);
        host.remove_entirely(point, &id);
    }
}

#[test]
fn a_restart_leaves_a_container_that_runs_or_has_stopped_and_can_be_repeated() {
    let mut host = Host::new();
    let script = "trap '' TERM; echo ready; while true; do sleep 0.1; done";
    let started = points("start").filter(|point| *point != Point::StartClaimed);
    for point in points("stop").chain(points("restart")).chain(started) {
        let id = host.run(script);
        until("its line", || host.log(&id).len() == 1);
        let pid = host.pid(&id);
        let timeout = i32::from(point == Point::StopTimedOut || point == Point::StopAsked);
        let restart = json!({ "name": id, "timeout": timeout });
        host.die_at(point, "RestartContainer", &restart);
        host.assert_sound(point);
        if host.status(&id) == "exited" {
            assert_eq!(host.wait(&id), 137, "{point:?}");
        }
        host.call("RestartContainer", &json!({ "name": id, "timeout": 0 }));
        assert_eq!(host.status(&id), "running", "{point:?}");
        assert_ne!(host.pid(&id), pid, "{point:?}");
        host.assert_sound(point);
        host.remove_entirely(point, &id);
    }
}

/// An old file at the target, or none.
#[rstest]
#[case(false)]
#[case::of_a_file_that_is_there(true)]
fn an_export_has_made_the_whole_tar_or_nothing(#[case] replaces: bool) {
    let mut host = Host::new();
    let id = host.run("echo content > /file");
    assert_eq!(host.wait(&id), 0);
    let folder = host.folder.path().join("exported");
    fs::create_dir(&folder).unwrap();
    let target = folder.join("it.tar");
    let export = json!({ "name": id, "path": target });
    for point in points("export") {
        if replaces {
            fs::write(&target, "old").unwrap();
        }
        host.die_at(point, "ExportContainer", &export);
        host.assert_sound(point);
        let placed = point == Point::ExportPlaced;
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
        assert_eq!(
            names.len(),
            usize::from(placed || replaces),
            "{point:?}: {names:?}"
        );
        if placed {
            host.call(
                "ImportImage",
                &json!({ "source": target, "reference": "small" }),
            );
            host.images().iter().for_each(|one| host.remove_image(one));
            fs::remove_file(&target).unwrap();
        } else if replaces {
            assert_eq!(fs::read_to_string(&target).unwrap(), "old", "{point:?}");
        }
        host.call("ExportContainer", &export);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "{point:?}");
        fs::remove_file(&target).unwrap();
    }
}

impl Host {
    /// A tar of one file.
    fn archive(&self, content: &str) -> Value {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len().try_into().unwrap());
        builder
            .append_data(&mut header, "file", content.as_bytes())
            .unwrap();
        let path = self.folder.path().join("small.tar");
        fs::write(&path, builder.into_inner().unwrap()).unwrap();
        json!({ "source": path, "reference": "small" })
    }

    /// All images but the one that containers run.
    fn images(&self) -> Vec<Value> {
        let listed = self.call("ListImages", &json!({}));
        let all = listed["images"].as_array().into_iter().flatten();
        let other = |image: &&Value| image["id"] != *self.image;
        all.filter(other).cloned().collect()
    }

    fn layers(&self) -> usize {
        fs::read_dir(self.root().join("layers")).unwrap().count()
    }

    fn remove_image(&self, image: &Value) {
        let remove = json!({ "name": image["id"], "force": true });
        self.call("RemoveImage", &remove);
    }
}

#[test]
fn an_import_makes_a_whole_image_or_none_and_its_name_has_one_holder() {
    let mut host = Host::new();
    for point in points("import") {
        host.call("ImportImage", &host.archive("first"));
        let second = host.archive(point.name());
        host.die_at(point, "ImportImage", &second);
        host.assert_sound(point);
        let images = host.images();
        assert!((1..=2).contains(&images.len()), "{point:?}: {images:?}");
        assert_eq!(host.layers(), images.len() + 1, "{point:?}");
        let holds = |image: &&Value| image["repoTags"] == json!(["localhost/small:latest"]);
        assert_eq!(images.iter().filter(holds).count(), 1, "{point:?}");
        host.call("ImportImage", &second);
        host.images().iter().for_each(|one| host.remove_image(one));
        assert_eq!(host.layers(), 1, "{point:?}");
    }
}

#[test]
fn an_images_removal_has_removed_it_or_can_be_repeated() {
    let mut host = Host::new();
    for point in points("remove-image") {
        host.call("ImportImage", &host.archive(point.name()));
        host.die_at(point, "RemoveImage", &json!({ "name": "small" }));
        host.assert_sound(point);
        host.images().iter().for_each(|one| host.remove_image(one));
        assert_eq!(host.layers(), 1, "{point:?}");
    }
}
