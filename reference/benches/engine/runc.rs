//! The floor: runc on the file system of the probe image, where runc is installed.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::daemon::Daemon;

/// An OCI bundle that runs `/probe exit 0`.
pub struct Bundle {
    path: PathBuf,
    is_there: bool,
}

impl Bundle {
    /// The probe image's tar unpacked, and `runc spec` with the probe as its process.
    pub fn of(daemon: &Daemon) -> Self {
        let path = daemon.home().join("bundle");
        fs::create_dir_all(path.join("rootfs")).expect("a folder");
        let image = std::env::var("PROBE_IMAGE").expect("checked before");
        let unpacked = Command::new("tar")
            .arg("-xf")
            .arg(image)
            .arg("-C")
            .arg(path.join("rootfs"))
            .status();
        assert!(
            unpacked.is_ok_and(|s| s.success()),
            "tar unpacks the probe image"
        );
        let mut runc = Command::new("runc");
        let specified = runc.arg("spec").current_dir(&path).status();
        let is_there = specified.is_ok_and(|s| s.success());
        let bundle = Self { path, is_there };
        if is_there {
            bundle.adapt();
        }
        bundle
    }

    fn adapt(&self) {
        let path = self.path.join("config.json");
        let mut spec: Value =
            serde_json::from_slice(&fs::read(&path).expect("a spec")).expect("JSON");
        spec["process"]["args"] = json!(["/probe", "exit", "0"]);
        spec["process"]["terminal"] = false.into();
        spec["process"]
            .as_object_mut()
            .expect("an object")
            .remove("rlimits");
        fs::write(path, spec.to_string()).expect("a writable spec");
    }

    /// The time of a `runc run`; `None` without runc. No two at the same time may have the same name.
    pub fn run(&self, name: &str) -> Option<Duration> {
        if !self.is_there {
            return None;
        }
        let started = Instant::now();
        let status = Command::new("runc")
            .args(["run", "--bundle"])
            .arg(&self.path)
            .arg(format!("bench-{}-{name}", std::process::id()))
            .status();
        let time = started.elapsed();
        assert!(
            status.as_ref().is_ok_and(|s| s.success()),
            "runc run failed: {status:?}"
        );
        Some(time)
    }
}
