//! `run`: from flags to a judged endpoint.

use std::{
    fs::{self, File},
    io::{BufWriter, IsTerminal},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};

use super::{failure::Failure, filters, signals, suites};
use crate::{
    endpoint::{Activated, Address, Interrupt},
    event::EndpointInfo,
    idl::Definitions,
    report::{Consumer, Html, Json, Style, Terminal},
    runner::{self, Settings, Shard, SharedDirectory, exit_code},
    scenario::{ast::Level, suite::Suite},
    spec,
};

const PODMAN: &str = "io.projectatomic.podman";

/// Run scenarios against an endpoint.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("endpoint").required(true).args(["address", "activate"])))]
pub(super) struct Run {
    /// The endpoint: unix:PATH, unix:@NAME or tcp:HOST:PORT
    address: Option<String>,
    /// Start this service with its socket open (LISTEN_FDS), and end it afterwards
    #[arg(long, value_name = "CMD")]
    activate: Option<String>,
    /// A suite: varlink, podman, a folder or a file [default: varlink, and podman where it is served]
    #[arg(long = "suite", value_name = "NAME|DIR")]
    suites: Vec<String>,
    /// Only scenarios whose id matches: StopContainer/*
    #[arg(long = "filter", value_name = "GLOB")]
    filters: Vec<String>,
    /// The gate level: departures below it are reported and do not count
    #[arg(long, value_enum, default_value_t = Gate::Should)]
    level: Gate,
    /// The run owns the endpoint: run also what cannot be confined to what the suite made
    #[arg(long)]
    exclusive: bool,
    /// The probe image, if the endpoint has it already
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    /// A registry that the endpoint can pull from
    #[arg(long, value_name = "HOST:PORT")]
    registry: Option<String>,
    /// A directory that suite and endpoint both see [default: a temporary one, for unix: addresses]
    #[arg(long, value_name = "HERE[:THERE]")]
    shared_dir: Option<SharedDirectory>,
    /// A disk of the endpoint's host, whose use by containers may be limited
    #[arg(long, value_name = "/dev/NAME")]
    block_device: Option<String>,
    /// A further interface definition to hold replies against
    #[arg(long = "interface", value_name = "FILE")]
    interfaces: Vec<PathBuf>,
    /// Scenarios at the same time [default: two for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Seconds for a scenario without a bound of its own
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Run each scenario this many times
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroUsize,
    /// Run the I-th of N parts of the scenarios
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Write the report as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A line for each scenario, also for those that pass
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Gate {
    Must,
    Should,
    May,
}

impl From<Gate> for Level {
    fn from(gate: Gate) -> Self {
        match gate {
            Gate::Must => Self::Must,
            Gate::Should => Self::Should,
            Gate::May => Self::May,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    // A longer bound than a day is a slip, and sums of it could overflow.
    let duration = duration.filter(|duration| duration.as_secs() <= 86_400);
    duration.ok_or_else(|| "expected a number of seconds, up to a day".to_owned())
}

impl Run {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let chosen = filters(&self.filters)?;
        let definitions = definitions(&self.interfaces)?;
        // Mistakes are found before anything is started or asked.
        let mut suites = suites(&self.suites)?;
        if !suites.iter().any(|suite| {
            runner::choose(std::slice::from_ref(suite), &chosen)
                .next()
                .is_some()
        }) {
            return Err(nothing(&self.filters));
        }
        let interrupt =
            Arc::new(Interrupt::new().map_err(|error| Failure::Harness(error.to_string()))?);
        let mut service = self.activate.as_deref().map(Activated::start).transpose()?;
        signals::watch(&interrupt, service.as_ref().map(Activated::pid))
            .map_err(|error| Failure::Harness(error.to_string()))?;
        let address = self.endpoint(service.as_ref())?;
        let endpoint = introduce(&address, self.timeout, &interrupt, service.as_mut())?;
        if self.suites.is_empty() {
            suites.retain(|suite| is_served(suite, endpoint.as_ref()));
        }
        let mut reports = self.reports()?;
        let settings = self.settings(address, chosen, definitions);
        let ended = runner::run(&suites, &settings, endpoint, &interrupt, &mut reports).map_err(
            |error| match error {
                runner::RunError::NothingChosen => nothing(&self.filters),
                error => error.into(),
            },
        )?;
        drop(service);
        match ended.unwritten {
            Some(error) => Err(Failure::Output(error)),
            None => Ok(exit_code(&ended.summary)),
        }
    }

    fn endpoint(&self, service: Option<&Activated>) -> Result<Address, Failure> {
        match (service, &self.address) {
            (Some(service), _) => Ok(service.address().clone()),
            (None, Some(address)) => Ok(address.parse::<Address>()?),
            (None, None) => Err(Failure::Usage(
                "an ADDRESS or --activate is needed".to_owned(),
            )),
        }
    }

    fn settings(
        &self,
        address: Address,
        filters: Vec<runner::Filter>,
        definitions: Definitions,
    ) -> Settings {
        let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Settings {
            address,
            filters,
            gate: self.level.into(),
            exclusive: self.exclusive,
            image: self.image.clone(),
            registry: self.registry.clone(),
            shared: self.shared_dir.clone(),
            block_device: self.block_device.clone(),
            jobs: self.jobs.unwrap_or(processors.saturating_mul(TWO)),
            timeout: self.timeout,
            repeat: self.repeat,
            shard: self.shard,
            definitions,
            command: self.command(),
        }
    }

    fn reports(&self) -> Result<Vec<Box<dyn Consumer>>, Failure> {
        let style = Style {
            verbose: self.verbose,
            progress: std::io::stderr().is_terminal(),
        };
        let terminal = Terminal::new(anstream::stdout(), style, spec::sentence);
        let mut reports: Vec<Box<dyn Consumer>> = vec![Box::new(terminal)];
        if let Some(path) = &self.html {
            reports.push(Box::new(Html::new(create(path)?, spec::sentence)));
        }
        if let Some(path) = &self.json {
            reports.push(Box::new(Json::new(create(path)?)));
        }
        Ok(reports)
    }

    /// The command line that repeats the run, without filters and reports.
    fn command(&self) -> String {
        let mut words = vec!["varlink-conformance".to_owned(), "run".to_owned()];
        words.extend(self.address.clone());
        let mut option = |name: &str, value: Option<String>| {
            words.extend(
                value
                    .map(|value| [name.to_owned(), value])
                    .into_iter()
                    .flatten(),
            );
        };
        option("--activate", self.activate.clone());
        self.suites
            .iter()
            .for_each(|suite| option("--suite", Some(suite.clone())));
        let path = |path: &Path| path.display().to_string();
        self.interfaces
            .iter()
            .for_each(|file| option("--interface", Some(path(file))));
        option("--image", self.image.clone());
        option("--registry", self.registry.clone());
        let shared = self.shared_dir.as_ref();
        option(
            "--shared-dir",
            shared.map(|it| format!("{}:{}", path(&it.here), path(&it.there))),
        );
        option("--block-device", self.block_device.clone());
        let timeout = self.timeout.as_secs_f64();
        let is_default = self.timeout == Duration::from_secs(30);
        option("--timeout", (!is_default).then(|| timeout.to_string()));
        words.extend(self.exclusive.then(|| "--exclusive".to_owned()));
        shell_words::join(words)
    }
}

/// How long a started service that said nothing of itself may take to be seen to end.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

fn nothing(filters: &[String]) -> Failure {
    Failure::Nothing(match filters {
        [] => "nothing ran: there is no scenario to run".to_owned(),
        filters => format!("nothing ran: no scenario matches {}", filters.join(", ")),
    })
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let created = File::create(path).map(BufWriter::new);
    created.map_err(|source| Failure::Report {
        path: path.to_owned(),
        source,
    })
}

fn definitions(files: &[PathBuf]) -> Result<Definitions, Failure> {
    let fail = |path: &Path, why: String| Failure::Interface {
        path: path.to_owned(),
        why,
    };
    let mut definitions =
        Definitions::built_in().map_err(|error| Failure::Harness(error.to_string()))?;
    for path in files {
        let text = fs::read_to_string(path).map_err(|error| fail(path, error.to_string()))?;
        definitions
            .add(&text)
            .map_err(|error| fail(path, error.to_string()))?;
    }
    Ok(definitions)
}

fn introduce(
    address: &Address,
    timeout: Duration,
    interrupt: &Interrupt,
    service: Option<&mut Activated>,
) -> Result<Option<EndpointInfo>, Failure> {
    let introduced = runner::introduce(address, timeout, interrupt);
    if matches!(introduced, Ok(Some(_))) {
        return Ok(introduced?);
    }
    // A service that ends closes its socket first: its status may come a moment later.
    match service.and_then(|service| service.ended_within(LAST_MOMENTS)) {
        Some(status) => Err(Failure::Ended(status)),
        None => Ok(introduced?),
    }
}

/// Of the shipped suites, `podman` is for endpoints that serve its interface.
fn is_served(suite: &Suite, endpoint: Option<&EndpointInfo>) -> bool {
    let serves = |info: &EndpointInfo| info.interfaces.iter().any(|name| name == PODMAN);
    suite.name != "podman" || endpoint.is_some_and(serves)
}
