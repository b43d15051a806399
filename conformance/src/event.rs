//! The one stream of events of a run; terminal and reports consume it.

use std::{io, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use serde::Serialize;

use crate::scenario::ast::{Level, SourceFile};

/// What a run reports, in order. Scenarios run in parallel, so events of different scenarios interleave.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins.
    Started(Run),
    /// A scenario (or case) begins.
    ScenarioStarted {
        /// Its id, with the case in brackets.
        id: String,
    },
    /// A scenario ended.
    ScenarioEnded(Box<Outcome>),
    /// Something about the run itself that is no verdict: the probe image could not be removed.
    Note(String),
    /// The run ended.
    Ended(Summary),
}

/// What a run is about.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The endpoint's address as given.
    pub address: String,
    /// `org.varlink.service.GetInfo` of the endpoint: vendor, product, version, url, interfaces.
    pub endpoint: Option<EndpointInfo>,
    /// The suites.
    pub suites: Vec<String>,
    /// How many verdicts there will be, skipped ones included.
    pub total: usize,
    /// The gate level.
    pub gate: Level,
    /// Start of the run, RFC 3339.
    pub started_at: String,
    /// The command line that repeats the run, without a filter.
    pub command: String,
}

/// What an endpoint says of itself.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct EndpointInfo {
    /// The vendor.
    pub vendor: String,
    /// The product.
    pub product: String,
    /// The version.
    pub version: String,
    /// A URL.
    pub url: String,
    /// The interfaces it serves.
    pub interfaces: Vec<String>,
}

/// The words for outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It conforms.
    Pass,
    /// It departs from the specification.
    Fail,
    /// Not run, for the reason given.
    Skip,
    /// The harness could not test.
    Error,
    /// The endpoint did not answer in time.
    Timeout,
}

/// How one scenario (or case) ended.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Its id, with the case in brackets.
    pub id: String,
    /// The suite it belongs to.
    pub suite: String,
    /// The scenario's title.
    pub title: String,
    /// How binding it is.
    pub level: Level,
    /// The requirement ids it covers.
    pub covers: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, for a skip or an error of the harness.
    pub reason: Option<String>,
    /// What went wrong, in the order found; a pass has none.
    pub findings: Vec<Finding>,
    /// What went wrong while cleaning up; never changes the verdict.
    pub cleanup: Vec<Finding>,
    /// What was sent and received.
    pub transcript: Vec<Exchanged>,
    /// Wall time.
    pub duration: Duration,
    /// The command that repeats just this scenario.
    pub repeat: String,
}

/// One thing that went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// A line that stands alone: `member "message" is "ok", expected "OK"`.
    pub message: String,
    /// Where in the scenario file, with what to say at the caret.
    pub place: Option<Place>,
    /// Golden and actual, both pretty-printed JSON, for a diff.
    pub diff: Option<Diff>,
    /// The requirement ids that this finding is about, if narrower than the scenario's.
    pub requirements: Vec<String>,
}

/// A place in a scenario file.
#[derive(Debug, Clone, Serialize)]
pub struct Place {
    /// The path shown to people.
    pub path: PathBuf,
    /// First line, from 1.
    pub line: usize,
    /// First column, from 1, in characters.
    pub column: usize,
    /// The text for the caret.
    pub label: String,
    /// The file, for the excerpt.
    #[serde(skip)]
    pub file: Arc<SourceFile>,
    /// Its bytes.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// What was expected and what came.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// The golden body, matchers as written, captures inserted.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// A line of the transcript.
#[derive(Debug, Clone, Serialize)]
pub struct Exchanged {
    /// Since the scenario began.
    pub at: Duration,
    /// The connection's name.
    pub connection: String,
    /// Who did what.
    pub direction: Direction,
    /// The message as text (invalid UTF-8 escaped), cut to 4 KiB with a note.
    pub text: String,
}

/// Who did what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The suite sent.
    Sent,
    /// The endpoint sent.
    Received,
    /// The endpoint closed.
    Closed,
    /// The suite did something else (opened, closed, slept).
    Note,
}

/// The counts at the end.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// Verdicts by kind.
    pub passed: usize,
    /// Departures at or above the gate level.
    pub failed: usize,
    /// Departures and missing answers below the gate level.
    pub failed_below_gate: usize,
    /// Not run.
    pub skipped: usize,
    /// The harness could not test.
    pub errors: usize,
    /// No answer in time, at or above the gate level.
    pub timeouts: usize,
    /// Scenarios whose clean-up went wrong.
    pub cleanup_failures: usize,
    /// Wall time.
    pub duration: Duration,
    /// Cut short by Ctrl-C.
    pub interrupted: bool,
}

/// What follows a run event by event: a report.
pub trait Consumer: Send {
    /// Takes the next event.
    ///
    /// # Errors
    /// The report cannot be written: a full disk, a closed pipe. The run's verdict is not lost by it; the caller says so
    /// and ends with the exit code for harness errors.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}
