//! The varlink suite judges a service of another make: what it reports there are that service's
//! departures from the protocol's documentation, each checked by hand, and nothing else.
#![expect(clippy::unwrap_used)] // helpers of tests

use std::{
    collections::BTreeSet,
    io,
    num::NonZeroUsize,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use varlink_conformance::{
    endpoint::{Address, Interrupt},
    event::{Event, Outcome, Verdict},
    idl::Definitions,
    report::Consumer,
    runner::{Settings, introduce, run},
    scenario::{ast::Level, suite::Suite},
};

/// Where a service written with the Python package `varlink` (31.0.0) departs: what it does, and
/// the scenarios that see it.
const PYTHON_DEPARTURES: &[(&str, &[&str])] = &[
    (
        "oneway calls that fail are answered",
        &[
            "varlink/oneway-many",
            "varlink/oneway[unknown-method]",
            "varlink/oneway[unknown-interface]",
            "varlink/oneway[wrong-type]",
        ],
    ),
    (
        "what it cannot read ends the connection, or it is answered with another error or not at all",
        &[
            "varlink/bad-call-error[not-json]",
            "varlink/bad-call-error[truncated]",
            "varlink/bad-call-error[trailing-text]",
            "varlink/bad-call-error[two-objects]",
            "varlink/bad-call-error[array]",
            "varlink/bad-call-error[array-of-calls]",
            "varlink/bad-call-error[text]",
            "varlink/bad-call-error[number]",
            "varlink/bad-call-error[null]",
            "varlink/bad-call-error[true]",
            "varlink/bad-call-error[no-method]",
            "varlink/bad-call-error[method-number]",
            "varlink/bad-call-error[method-null]",
            "varlink/bad-call-error[method-array]",
            "varlink/bad-call-error[method-object]",
            "varlink/bad-call-error[parameters-number]",
            "varlink/bad-call-error[parameters-bool]",
            "varlink/bad-call-error[trailing-comma]",
            "varlink/bad-call-error[unquoted-name]",
            "varlink/bad-call-error[empty]",
        ],
    ),
    (
        "a flag counts as set whenever Python takes its value for true",
        &[
            "varlink/bad-flag[oneway-number]",
            "varlink/bad-flag[oneway-text]",
            "varlink/bad-flag[oneway-object]",
            "varlink/bad-flag[more-number]",
            "varlink/bad-flag[more-text]",
            "varlink/bad-flag[more-object]",
            "varlink/bad-flag[upgrade-number]",
            "varlink/bad-flag[upgrade-text]",
            "varlink/bad-flag[upgrade-object]",
        ],
    ),
    (
        "InvalidParameter names an element of the list in place of a parameter",
        &["varlink/bad-parameters-without-input[array]"],
    ),
    (
        "unknown parameters are refused",
        &["varlink/further-parameter-passed-over"],
    ),
];

/// A Python that has the package: `VARLINK_PYTHON`, else `python3`.
fn python() -> Option<PathBuf> {
    let program = std::env::var_os("VARLINK_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&program)
        .args(["-c", "import varlink.server"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    found.then(|| program.into())
}

/// A running service, ended with the test.
struct Service(Child);

impl Service {
    fn start(python: &Path, socket: &Path) -> Self {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/peers/python_service.py");
        let child = Command::new(python)
            .arg(script)
            .arg(format!("unix:{}", socket.display()))
            // It prints a traceback for each call that it cannot read.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(socket).is_err() {
            assert!(Instant::now() < deadline, "the service does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Keeps what ended.
#[derive(Debug, Clone, Default)]
struct Outcomes(Arc<Mutex<Vec<Outcome>>>);

impl Consumer for Outcomes {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if let Event::ScenarioEnded(outcome) = event {
            self.0.lock().unwrap().push((**outcome).clone());
        }
        Ok(())
    }
}

fn settings(address: Address) -> Settings {
    Settings {
        address,
        filters: Vec::new(),
        gate: Level::May,
        exclusive: false,
        image: None,
        registry: None,
        shared: None,
        block_device: None,
        jobs: NonZeroUsize::new(4).unwrap(),
        timeout: Duration::from_secs(60),
        repeat: NonZeroUsize::MIN,
        shard: None,
        definitions: Definitions::built_in().unwrap(),
        command: String::new(),
    }
}

/// What the shipped varlink suite says of the service behind this socket.
fn judge(socket: &Path) -> Vec<Outcome> {
    let settings = settings(format!("unix:{}", socket.display()).parse().unwrap());
    let interrupt = Interrupt::new().unwrap();
    let outcomes = Outcomes::default();
    run(
        &[Suite::shipped("varlink").unwrap()],
        &settings,
        introduce(&settings.address, settings.timeout, &interrupt).unwrap(),
        &interrupt,
        &mut [Box::new(outcomes.clone())],
    )
    .unwrap();
    outcomes.0.lock().unwrap().clone()
}

#[test]
fn a_service_written_in_python_departs_only_where_it_is_known_to() {
    let Some(python) = python() else {
        eprintln!(
            "skipped: no python3 with the package varlink (pip install varlink; VARLINK_PYTHON names the interpreter)"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("peer");
    let _service = Service::start(&python, &socket);
    let outcomes = judge(&socket);
    assert!(outcomes.len() > 100, "only {} verdicts", outcomes.len());
    let known: BTreeSet<&str> = PYTHON_DEPARTURES
        .iter()
        .flat_map(|(_, ids)| *ids)
        .copied()
        .collect();
    let found: BTreeSet<&str> = outcomes
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Pass)
        .map(|outcome| outcome.id.as_str())
        .collect();
    let accused = outcomes
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Pass && !known.contains(outcome.id.as_str()))
        .map(|outcome| (&outcome.id, outcome.verdict, &outcome.findings))
        .collect::<Vec<_>>();
    assert!(accused.is_empty(), "departs unexpectedly: {accused:#?}");
    let missed: Vec<_> = known.difference(&found).collect();
    assert!(missed.is_empty(), "should depart: {missed:#?}");
}
