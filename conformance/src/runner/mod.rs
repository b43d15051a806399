//! Runs scenarios against an endpoint and says how each ended.
//!
//! ```text
//! suites -> plan (filter, shard, needs) -> pool (workers) -> session (steps) -> race (expectations)
//!                                                              line, background, exchange, cleanup
//! every outcome -> event stream -> reports
//! ```

mod background;
mod calls;
mod cleanup;
mod collected;
mod exchange;
mod filter;
mod finding;
mod image;
mod line;
mod plan;
mod pool;
mod race;
mod record;
mod session;
mod settings;
mod shared;
mod stage;
mod verdict;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io,
    sync::mpsc,
    time::{Duration, Instant, SystemTime},
};

use self::{collected::Collected, plan::Plan, pool::Said, shared::SharedFolder, stage::Stage};
pub use self::{
    filter::Filter,
    image::write_tar,
    plan::{Unit, choose},
    settings::{Settings, Shard, SharedDirectory},
    verdict::exit_code,
};
use crate::{
    endpoint::{Address, ConnectError, Deadline, Interrupt, call},
    event::{Consumer, EndpointInfo, Event, Run, Summary, Verdict},
    scenario::{ast::Need, suite::Suite},
};

/// How long an endpoint may take to say what it is.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nobody accepts connections.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// The filters, or the shard, leave no scenario.
    #[error("no scenario is chosen")]
    NothingChosen,
    /// No shared directory.
    #[error("cannot make a directory to share with the endpoint: {0}")]
    Shared(#[source] io::Error),
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// The counts.
    pub summary: Summary,
    /// The first report that could not be written.
    pub unwritten: Option<io::Error>,
}

/// Asks an endpoint what it is. One that accepts connections but does not answer as a varlink
/// service should is `None`: that is for the scenarios to say.
///
/// # Errors
/// Nobody accepts connections at the address.
pub fn introduce(
    address: &Address,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<Option<EndpointInfo>, ConnectError> {
    let deadline = Deadline::after(timeout.min(INTRODUCTION)).watching(Some(interrupt));
    drop(address.connect(&deadline)?);
    let said = call(
        address,
        "org.varlink.service.GetInfo",
        &serde_json::json!({}),
        &deadline,
    );
    Ok(said.ok().and_then(|info| serde_json::from_value(info).ok()))
}

/// Runs the suites.
///
/// # Errors
/// Nothing is chosen, or the run cannot be prepared. Everything else is a verdict.
pub fn run(
    suites: &[Suite],
    settings: &Settings,
    endpoint: Option<EndpointInfo>,
    interrupt: &Interrupt,
    reports: &mut [Box<dyn Consumer>],
) -> Result<Ended, RunError> {
    let started = Instant::now();
    let plan = Plan::new(suites, settings, endpoint.as_ref());
    if plan.units.is_empty() {
        return Err(RunError::NothingChosen);
    }
    let runnable: Vec<&Unit<'_>> = plan.runnable().collect();
    let rows = if runnable.is_empty() {
        0
    } else {
        collected::ROWS
    };
    let total = plan.units.len().saturating_add(rows);
    let folder = SharedFolder::prepare(settings, &runnable).map_err(RunError::Shared)?;
    let mut reporter = Reporter {
        reports,
        failed: Vec::new(),
        unwritten: None,
    };
    reporter.say(&Event::Started(about(suites, settings, endpoint, total)));
    let stage = set_stage(settings, &runnable, folder.as_ref(), interrupt);
    let mut summary = work(&plan, &runnable, &stage, settings, &mut reporter);
    if let (None, Some(Ok(reference))) = (&settings.image, &stage.image)
        && let Some(why) = image::remove(&stage, reference)
    {
        reporter.say(&Event::Note(why));
    }
    summary.duration = started.elapsed();
    summary.interrupted = interrupt.is_thrown();
    reporter.say(&Event::Ended(summary.clone()));
    Ok(Ended {
        summary,
        unwritten: reporter.unwritten,
    })
}

fn set_stage<'r>(
    settings: &Settings,
    units: &[&Unit<'_>],
    folder: Option<&SharedFolder>,
    interrupt: &'r Interrupt,
) -> Stage<'r> {
    let mut stage = Stage {
        address: settings.address.clone(),
        definitions: settings.definitions.clone(),
        interrupt,
        timeout: settings.timeout,
        run_id: run_id(),
        shared: folder.map(|folder| folder.there().to_owned()),
        block_device: settings.block_device.clone(),
        image: settings.image.clone().map(Ok),
    };
    if stage.image.is_none() && units.iter().any(|unit| unit.needs(&Need::Image)) {
        stage.image = folder.map(|folder| image::bring(&stage, folder.there()));
    }
    stage
}

fn about(
    suites: &[Suite],
    settings: &Settings,
    endpoint: Option<EndpointInfo>,
    total: usize,
) -> Run {
    Run {
        address: settings.address.to_string(),
        endpoint,
        suites: suites.iter().map(|suite| suite.name.clone()).collect(),
        total,
        gate: settings.gate,
        started_at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        command: settings.command.clone(),
    }
}

/// All verdicts: the skipped ones first, then those of the workers, then those over the whole run.
fn work(
    plan: &Plan<'_>,
    runnable: &[&Unit<'_>],
    stage: &Stage<'_>,
    settings: &Settings,
    reporter: &mut Reporter<'_>,
) -> Summary {
    let mut summary = Summary::default();
    let mut collected = Collected::default();
    let mut take = |said: Said| match said {
        Said::Collected(departures) => collected.add(departures),
        Said::Started(id) => reporter.say(&Event::ScenarioStarted { id }),
        Said::Ended(outcome) => {
            verdict::count(&mut summary, &outcome, settings.gate);
            reporter.say(&Event::ScenarioEnded(outcome));
        }
    };
    for unit in &plan.units {
        if let Some(reason) = unit.skip.clone() {
            let skipped = verdict::not_run(unit, Verdict::Skip, reason, &settings.command);
            take(Said::Ended(Box::new(skipped)));
        }
    }
    let (out, said) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || pool::run(runnable, stage, settings, &out));
        said.into_iter().for_each(&mut take);
    });
    if !runnable.is_empty() {
        for outcome in collected.outcomes(&settings.command) {
            verdict::count(&mut summary, &outcome, settings.gate);
            reporter.say(&Event::ScenarioEnded(Box::new(outcome)));
        }
    }
    summary
}

/// Hands each event to all reports; one that cannot be written is left out from then on.
struct Reporter<'r> {
    reports: &'r mut [Box<dyn Consumer>],
    failed: Vec<usize>,
    unwritten: Option<io::Error>,
}

impl Reporter<'_> {
    fn say(&mut self, event: &Event) {
        for (index, report) in self.reports.iter_mut().enumerate() {
            if self.failed.contains(&index) {
                continue;
            }
            if let Err(error) = report.event(event) {
                self.failed.push(index);
                self.unwritten.get_or_insert(error);
            }
        }
    }
}

/// Eight hexadecimal digits that no other run has.
fn run_id() -> String {
    // The hasher's keys are random; that is all that is needed of it.
    let random = RandomState::new().build_hasher().finish();
    format!("{:08x}", random >> 32)
}
