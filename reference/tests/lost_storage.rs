//! A daemon whose storage goes away while it runs says so as RuntimeError, does no harm, and works again once it is back.
#![expect(clippy::unwrap_used)] // helpers of tests

mod served;

use std::{
    fs,
    path::{Path, PathBuf},
};

use rstest::rstest;
use serde_json::{Value, json};
use served::{Host, request};

/// A directory that is somewhere else for a while.
struct Away<'a> {
    home: &'a Path,
    now: PathBuf,
}

impl<'a> Away<'a> {
    fn new(home: &'a Path) -> Self {
        let now = home.with_extension("away");
        fs::rename(home, &now).unwrap();
        Self { home, now }
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir(self.home);
        let _ = fs::rename(&self.now, self.home);
    }
}

/// The calls that need it, each with what it asks for.
fn calls(host: &Host, id: &str) -> Vec<(&'static str, Value)> {
    let named = json!({ "name": id });
    vec![
        ("CreateContainer", request(&host.image, None, "exit 0")),
        ("StartContainer", named.clone()),
        ("RestartContainer", named.clone()),
        ("RemoveContainer", named.clone()),
        ("DeleteStoppedContainers", json!({})),
        ("ListContainerChanges", named),
        (
            "ExportContainer",
            json!({ "name": id, "path": host.root().with_extension("tar") }),
        ),
        ("RemoveImage", json!({ "name": host.image, "force": true })),
        (
            "ImportImage",
            json!({ "source": "/bin/busybox", "reference": "x", "message": "", "changes": [] }),
        ),
    ]
}

#[rstest]
#[case::gone(false)]
#[case::another_in_its_place(true)]
fn what_needs_it_is_a_runtime_error_and_the_rest_is_answered(#[case] replaced: bool) {
    let host = Host::new();
    let id = host.create("echo here");
    for home in [host.root(), host.runroot()] {
        let away = Away::new(&home);
        if replaced {
            fs::create_dir(&home).unwrap();
        }
        for (method, parameters) in calls(&host, &id) {
            let refusal = host.try_call(method, &parameters).unwrap_err();
            assert_eq!(refusal.error, "RuntimeError", "{method}: {refusal:?}");
            let reason = refusal.parameters["reason"].as_str().unwrap();
            assert!(reason.contains(home.to_str().unwrap()), "{reason}");
        }
        assert!(host.call("Ping", &json!({}))["ping"].is_object());
        assert!(host.call("GetVersion", &json!({}))["version"].is_object());
        assert_eq!(host.status(&id), "configured");
        drop(away);
    }
    host.call("StartContainer", &json!({ "name": id }));
    assert_eq!(host.wait(&id), 0);
    assert_eq!(host.log(&id), ["here"]);
}
