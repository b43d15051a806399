//! Every run with a shared directory has the tars in it, whatever else its scenarios need.
#![expect(clippy::unwrap_used)] // helpers of tests

mod service;

use std::{fs::File, os::unix::fs::PermissionsExt};

use rstest::rstest;
use serde_json::{Value, json};
use service::{Service, reply};

/// A service that says how many entries the tar at a path has that are the probe, if any user may read it.
fn reading() -> Service {
    Service::answering(|_, parameters: &Value| {
        let path = parameters["path"].as_str().unwrap();
        let Ok(file) = File::open(path) else {
            return vec![json!({"error": "org.example.test.NoSuchFile"})];
        };
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o444, 0o444);
        let mut archive = tar::Archive::new(file);
        let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
        let probes = entries.filter(|entry| &*entry.path_bytes() == b"probe");
        reply(json!({ "probes": probes.count() }))
    })
}

#[rstest]
fn holds_the_tars(
    #[values("probe.tar", "links.tar", "folders.tar")] name: &str,
    #[values(false, true)] image_is_there: bool,
    #[values(false, true)] below_another: bool,
) {
    let service = reading();
    let transcript = format!(
        "$ varlink call org.example.test.Read '{{\"path\": \"{{{{shared}}}}/{name}\"}}'\n{{ \"probes\": 1 }}"
    );
    service.scenario("Test/one", "needs = [\"shared-dir\"]", &transcript);
    let mut run = service.run();
    if image_is_there {
        run.args(["--image", "there"]);
    }
    let parent = tempfile::tempdir().unwrap();
    if below_another {
        run.arg("--shared-dir").arg(parent.path());
    }
    run.assert().success();
    assert_eq!(parent.path().read_dir().unwrap().count(), 0);
}
