//! Processor time, processors and memory nodes.

use super::{amount, figure, whole};
use crate::{
    engine::request::ResourcesRequest,
    settings::{Amount, Resources},
    sys::processors,
};

/// Microseconds: the kernel's default period, of which `cpus` are quotas.
const PERIOD: u64 = 100_000;
/// Microseconds: the kernel's default period of real-time scheduling.
const REAL_TIME_PERIOD: u64 = 1_000_000;

pub(super) fn read(request: &ResourcesRequest, resources: &mut Resources) -> Result<(), String> {
    resources.cpu_shares = figure("cpu_shares", request.cpu_shares, 2..=262_144)?;
    resources.cpu_period = figure("cpu_period", request.cpu_period, 1000..=1_000_000)?;
    resources.cpu_quota = amount("cpu_quota", request.cpu_quota, 1000)?;
    if let Some(cpus) = request.cpus {
        let other = [
            ("cpu_quota", request.cpu_quota.is_some()),
            ("cpu_period", request.cpu_period.is_some()),
        ];
        if let Some((other, _)) = other.into_iter().find(|(_, given)| *given) {
            return Err(format!(
                "resources.cpus: {cpus} and {other} say the same thing in two ways"
            ));
        }
        resources.cpu_quota = Some(Amount::Of(quota(cpus)?));
        resources.cpu_period = Some(PERIOD);
    }
    let longest = i64::MAX.unsigned_abs();
    resources.cpu_rt_period = figure("cpu_rt_period", request.cpu_rt_period, 1..=longest)?;
    let period = resources.cpu_rt_period.unwrap_or(REAL_TIME_PERIOD);
    resources.cpu_rt_runtime = figure("cpu_rt_runtime", request.cpu_rt_runtime, 1..=period)?;
    let cpus = processors::processors;
    resources.cpuset_cpus = list("cpuset_cpus", request.cpuset_cpus.as_deref(), cpus)?;
    let nodes = processors::memory_nodes;
    resources.cpuset_mems = list("cpuset_mems", request.cpuset_mems.as_deref(), nodes)?;
    Ok(())
}

/// So many processors' worth of time, as a quota of the period.
fn quota(cpus: f64) -> Result<u64, String> {
    // The text of a float is the way to an integer that neither wraps nor cuts silently.
    let quota = format!("{:.0}", cpus * 100_000.0).parse::<u64>().ok();
    quota
        .filter(|quota| *quota >= 1000 && i64::try_from(*quota).is_ok())
        .ok_or_else(|| format!("resources.cpus: {cpus} is not a number of processors from 0.01 on"))
}

fn list(
    field: &str,
    given: Option<&str>,
    host: impl Fn() -> std::io::Result<String>,
) -> Result<Option<String>, String> {
    let checked = |list: &str| match is_within(list, host) {
        Ok(()) => Ok(list.to_owned()),
        Err(why) => Err(format!("resources.{field}: {list:?} {why}")),
    };
    given.map(checked).transpose()
}

/// Whether a list such as `0-2,4` is well-formed and names only what the host has.
fn is_within(list: &str, host: impl Fn() -> std::io::Result<String>) -> Result<(), String> {
    let wanted = ranges(list).ok_or("is not a list such as 0-2,4")?;
    let host = host().map_err(|error| format!("cannot be compared with the host: {error}"))?;
    let had = ranges(host.trim()).ok_or("cannot be compared with the host")?;
    let missing = wanted
        .iter()
        .find_map(|&(first, last)| first_missing(first, last, &had));
    match missing {
        Some(number) => Err(format!("names {number}, which the host lacks")),
        None => Ok(()),
    }
}

/// Walks along the host's ranges, which are in order, so that the length of the wanted one does not matter.
fn first_missing(first: u64, last: u64, had: &[(u64, u64)]) -> Option<u64> {
    let mut next = first;
    for &(from, to) in had {
        if from <= next && next <= to {
            next = to.saturating_add(1);
        }
    }
    (next <= last).then_some(next)
}

fn ranges(list: &str) -> Option<Vec<(u64, u64)>> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (whole(first)?, whole(last)?);
        (first <= last).then_some((first, last))
    };
    list.split(',').map(range).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0.01, 1000)]
    #[case(0.75, 75_000)]
    #[case(1.5, 150_000)]
    #[case(64.0, 6_400_000)]
    fn processors_are_quotas_of_the_period(#[case] cpus: f64, #[case] expected: u64) {
        assert_eq!(quota(cpus), Ok(expected));
    }

    #[rstest]
    #[case(0.009)]
    #[case(-1.0)]
    #[case(1e300)]
    #[case(f64::NAN)]
    fn what_is_no_number_of_processors_is_refused(#[case] cpus: f64) {
        assert!(quota(cpus).is_err());
    }

    #[rstest]
    #[case::one("0", true)]
    #[case::all("0-3,6", true)]
    #[case::part("1-2", true)]
    #[case::across_a_gap("3-6", false)]
    #[case::beyond("0-7", false)]
    #[case::huge("0-18446744073709551615", false)]
    #[case::backwards("1-0", false)]
    #[case::empty_part("0,,1", false)]
    #[case::sign("+1", false)]
    #[case::blank(" 0", false)]
    #[case::text("all", false)]
    fn a_list_names_what_the_host_has(#[case] list: &str, #[case] taken: bool) {
        let checked = is_within(list, || Ok("0-3,6\n".to_owned()));
        assert_eq!(checked.is_ok(), taken, "{checked:?}");
    }
}
