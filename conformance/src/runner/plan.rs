//! Which scenarios run, which are skipped and why, and in what order.

use super::{filter::Filter, settings::Settings};
use crate::{
    event::EndpointInfo,
    scenario::{
        ast::{Case, Need, Scenario},
        suite::Suite,
    },
};

/// The interface whose methods bring the probe image to the endpoint.
pub(super) const PODMAN: &str = "io.projectatomic.podman";

/// A scenario, or one row of its table: what has a verdict of its own.
#[derive(Debug, Clone)]
pub struct Unit<'s> {
    /// The id, with the case in brackets.
    pub id: String,
    /// The suite's name.
    pub suite: &'s str,
    /// The scenario.
    pub scenario: &'s Scenario,
    pub(super) case: Option<&'s Case>,
    /// Its number in the run.
    pub(super) number: usize,
    /// Why it does not run.
    pub(super) skip: Option<String>,
}

impl Unit<'_> {
    pub(super) fn needs(&self, need: &Need) -> bool {
        self.scenario.needs.contains(need)
    }
}

/// What a run does.
#[derive(Debug)]
pub(super) struct Plan<'s> {
    pub(super) units: Vec<Unit<'s>>,
}

impl<'s> Plan<'s> {
    /// Chooses from the suites; `endpoint` is what the endpoint says of itself, if it does.
    pub(super) fn new(
        suites: &'s [Suite],
        settings: &Settings,
        endpoint: Option<&EndpointInfo>,
    ) -> Self {
        let chosen = choose(suites, &settings.filters)
            .enumerate()
            .filter(|(number, _)| settings.shard.is_none_or(|shard| shard.takes(*number)))
            .map(|(_, unit)| unit);
        let mut units: Vec<Unit<'s>> = chosen
            .flat_map(|unit| std::iter::repeat_n(unit, settings.repeat.get()))
            .collect();
        for (number, unit) in (1..).zip(&mut units) {
            unit.number = number;
            unit.skip = reason_to_skip(unit.scenario, settings, endpoint);
        }
        Self { units }
    }

    /// Those that run.
    pub(super) fn runnable(&self) -> impl Iterator<Item = &Unit<'s>> {
        self.units.iter().filter(|unit| unit.skip.is_none())
    }
}

fn units_of(suite: &Suite) -> impl Iterator<Item = Unit<'_>> {
    suite.scenarios.iter().flat_map(move |scenario| {
        let cases: Vec<Option<&Case>> = match scenario.cases.as_slice() {
            [] => vec![None],
            cases => cases.iter().map(Some).collect(),
        };
        cases
            .into_iter()
            .map(move |case| unit_of(suite, scenario, case))
    })
}

fn unit_of<'s>(suite: &'s Suite, scenario: &'s Scenario, case: Option<&'s Case>) -> Unit<'s> {
    let base = &scenario.id.node;
    Unit {
        id: case.map_or_else(|| base.clone(), |case| format!("{base}[{}]", case.name)),
        suite: &suite.name,
        scenario,
        case,
        number: 0,
        skip: None,
    }
}

/// What the filters take of the suites; without filters, everything.
pub fn choose<'s>(suites: &'s [Suite], filters: &[Filter]) -> impl Iterator<Item = Unit<'s>> {
    suites
        .iter()
        .flat_map(units_of)
        .filter(|unit| is_chosen(unit, filters))
}

fn is_chosen(unit: &Unit<'_>, filters: &[Filter]) -> bool {
    let names = std::iter::once(&unit.scenario.id.node).chain(&unit.scenario.was);
    filters.is_empty()
        || names.into_iter().any(|name| {
            let id = unit.id.replacen(unit.scenario.id.node.as_str(), name, 1);
            filters.iter().any(|filter| filter.takes(name, &id))
        })
}

fn reason_to_skip(
    scenario: &Scenario,
    settings: &Settings,
    endpoint: Option<&EndpointInfo>,
) -> Option<String> {
    let lacks = |name: &str| {
        let served = endpoint?.interfaces.iter().any(|served| served == name);
        (!served).then(|| format!("the endpoint does not serve {name}"))
    };
    let local = settings.address.is_local();
    scenario.needs.iter().find_map(|need| match need {
        Need::Exclusive if !settings.exclusive => Some(
            "it touches what is not its own: give --exclusive if the run owns the endpoint"
                .to_owned(),
        ),
        Need::Registry if settings.registry.is_none() => {
            Some("it needs a registry: give --registry HOST:PORT".to_owned())
        }
        Need::BlockDevice if settings.block_device.is_none() => {
            Some("it needs a disk of the endpoint's host: give --block-device /dev/NAME".to_owned())
        }
        Need::Local if !local => Some("it needs suite and endpoint on one host".to_owned()),
        Need::SharedDir if !local && settings.shared.is_none() => Some(
            "it needs a directory that suite and endpoint both see: give --shared-dir".to_owned(),
        ),
        Need::Image if settings.image.is_some() => None,
        Need::Image if !local && settings.shared.is_none() => Some(
            "the probe image cannot be brought to the endpoint: give --image or --shared-dir"
                .to_owned(),
        ),
        Need::Image => lacks(PODMAN),
        Need::Interface(name) => lacks(name),
        Need::Exclusive | Need::Registry | Need::BlockDevice | Need::Local | Need::SharedDir => {
            None
        }
    })
}
