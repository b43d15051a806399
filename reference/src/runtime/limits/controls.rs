//! Limits as control files of cgroups, in both versions.

use super::block_devices;
use crate::{
    settings::{Amount, Resources},
    sys::cgroup::{Control, ControlError, Setup},
};

/// One limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// The field of CreateResourceConfig.
    field: &'static str,
    /// The figure as it was given.
    given: String,
    /// The first that the host has is used.
    pub(super) choices: Vec<Control>,
    /// A default of ours: a host without the control does without it.
    pub(super) optional: bool,
}

impl Limit {
    /// What to tell of a limit that is not in force.
    pub(super) fn failed(&self, error: &ControlError) -> String {
        let cause = match error {
            ControlError::Refused { source, .. } => format!("{error}: {source}"),
            other => other.to_string(),
        };
        format!("resources.{}: {}: {cause}", self.field, self.given)
    }
}

pub(super) fn limit(
    field: &'static str,
    given: &dyn std::fmt::Display,
    choices: &[(&'static str, String)],
) -> Limit {
    let control = |(file, value): &(&'static str, String)| Control {
        file,
        value: value.clone(),
    };
    Limit {
        field,
        given: given.to_string(),
        choices: choices.iter().map(control).collect(),
        optional: false,
    }
}

/// All limits, in the order in which the kernel takes them. A limit without choices cannot be enforced.
pub(super) fn limits(resources: &Resources, setup: Setup) -> Vec<Limit> {
    let unified = setup == Setup::Unified;
    let mut limits = memory(resources, unified);
    limits.extend(processors(resources, unified));
    limits.extend(block_devices::limits(resources, unified));
    limits.extend(resources.pids_limit.map(|most| {
        let value = most.to_string();
        limit("pids_limit", &most, &[("pids.max", value)])
    }));
    limits
}

/// A control of version 1 that version 2 may have under another name.
fn renamed(
    field: &'static str,
    figure: Option<u64>,
    unified: bool,
    files: (&'static str, Option<&'static str>),
) -> Option<Limit> {
    let figure = figure?;
    let file = if unified { files.1 } else { Some(files.0) };
    let choices: Vec<_> = file
        .map(|file| (file, figure.to_string()))
        .into_iter()
        .collect();
    Some(limit(field, &figure, &choices))
}

fn memory(resources: &Resources, unified: bool) -> Vec<Limit> {
    let one = |field, figure, v1, v2| renamed(field, figure, unified, (v1, v2));
    let mut limits: Vec<Limit> = [
        one(
            "memory",
            resources.memory,
            "memory.limit_in_bytes",
            Some("memory.max"),
        ),
        one(
            "memory_reservation",
            resources.memory_reservation,
            "memory.soft_limit_in_bytes",
            Some("memory.low"),
        ),
        one(
            "kernel_memory",
            resources.kernel_memory,
            "memory.kmem.limit_in_bytes",
            None,
        ),
        one(
            "memory_swappiness",
            resources.memory_swappiness,
            "memory.swappiness",
            None,
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    // After the limit of memory, which it is not below.
    limits.extend(swap(resources, unified));
    if resources.disable_oomkiller {
        let file = (!unified).then(|| ("memory.oom_control", "1".to_owned()));
        let choices: Vec<_> = file.into_iter().collect();
        limits.push(limit("disable_oomkiller", &true, &choices));
    }
    limits
}

/// Swap is limited to as much as memory where nothing else was said.
fn swap(resources: &Resources, unified: bool) -> Option<Limit> {
    let memory = resources.memory?;
    let both = resources
        .memory_swap
        .unwrap_or(Amount::Of(memory.saturating_mul(2)));
    let (file, value) = match (unified, both) {
        (false, Amount::Of(both)) => ("memory.memsw.limit_in_bytes", both.to_string()),
        (false, Amount::Unlimited) => ("memory.memsw.limit_in_bytes", "-1".to_owned()),
        (true, Amount::Of(both)) => ("memory.swap.max", both.saturating_sub(memory).to_string()),
        (true, Amount::Unlimited) => ("memory.swap.max", "max".to_owned()),
    };
    Some(Limit {
        optional: resources.memory_swap.is_none(),
        ..limit("memory_swap", &told(both), &[(file, value)])
    })
}

fn processors(resources: &Resources, unified: bool) -> Vec<Limit> {
    let one = |field, figure, v1, v2| renamed(field, figure, unified, (v1, v2));
    let shares = resources.cpu_shares.map(|shares| {
        let (file, value) = match unified {
            true => ("cpu.weight", scaled(shares, (2, 262_144))),
            false => ("cpu.shares", shares),
        };
        limit("cpu_shares", &shares, &[(file, value.to_string())])
    });
    let set = |field, file, list: &Option<String>| {
        let list = list.as_ref()?;
        Some(limit(field, list, &[(file, list.clone())]))
    };
    [shares]
        .into_iter()
        .chain(time(resources, unified))
        .chain([
            // First the period: the time in it may not be longer.
            one(
                "cpu_rt_period",
                resources.cpu_rt_period,
                "cpu.rt_period_us",
                None,
            ),
            one(
                "cpu_rt_runtime",
                resources.cpu_rt_runtime,
                "cpu.rt_runtime_us",
                None,
            ),
            set("cpuset_cpus", "cpuset.cpus", &resources.cpuset_cpus),
            set("cpuset_mems", "cpuset.mems", &resources.cpuset_mems),
        ])
        .flatten()
        .collect()
}

/// Quota and period: two files in version 1, one in version 2.
fn time(resources: &Resources, unified: bool) -> Vec<Option<Limit>> {
    /// Microseconds; the kernel's own default.
    const PERIOD: u64 = 100_000;
    let (quota, period) = (resources.cpu_quota, resources.cpu_period);
    if unified {
        let figure = match quota {
            Some(Amount::Of(quota)) => quota.to_string(),
            Some(Amount::Unlimited) | None => "max".to_owned(),
        };
        let value = format!("{figure} {}", period.unwrap_or(PERIOD));
        let quota =
            quota.map(|quota| limit("cpu_quota", &told(quota), &[("cpu.max", value.clone())]));
        let period = period.map(|period| limit("cpu_period", &period, &[("cpu.max", value)]));
        return vec![quota.or(period)];
    }
    let period = period.map(|p| limit("cpu_period", &p, &[("cpu.cfs_period_us", p.to_string())]));
    let quota = quota.map(|q| limit("cpu_quota", &told(q), &[("cpu.cfs_quota_us", told(q))]));
    vec![period, quota]
}

/// A figure of version 1's scale on that of version 2, 1 to 10000.
pub(super) fn scaled(figure: u64, (least, most): (u64, u64)) -> u64 {
    1 + figure.saturating_sub(least) * 9999 / (most - least)
}

fn told(amount: Amount) -> String {
    match amount {
        Amount::Of(figure) => figure.to_string(),
        Amount::Unlimited => "-1".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;
    use crate::{settings::DeviceFigure, sys::cgroup};

    fn disk(figure: u64) -> Vec<DeviceFigure> {
        vec![DeviceFigure {
            path: "/dev/disk".into(),
            major: 8,
            minor: 16,
            figure,
        }]
    }

    fn written(resources: &Resources, setup: Setup) -> Vec<String> {
        let limits = limits(resources, setup);
        let first = |limit: &Limit| {
            let control = limit.choices.first();
            control.map_or_else(
                || format!("no {}", limit.field),
                |c| format!("{} = {}", c.file, c.value),
            )
        };
        limits.iter().map(first).collect()
    }

    fn everything() -> Resources {
        Resources {
            memory: Some(1 << 24),
            memory_reservation: Some(1 << 23),
            memory_swap: Some(Amount::Of(3 << 24)),
            memory_swappiness: Some(30),
            kernel_memory: Some(1 << 22),
            disable_oomkiller: true,
            cpu_shares: Some(1024),
            cpu_period: Some(50_000),
            cpu_quota: Some(Amount::Of(25_000)),
            cpu_rt_period: Some(500_000),
            cpu_rt_runtime: Some(1000),
            cpuset_cpus: Some("0".into()),
            cpuset_mems: Some("0".into()),
            blkio_weight: Some(1000),
            blkio_weight_device: disk(10),
            device_read_bps: disk(1),
            device_write_bps: disk(2),
            device_read_iops: disk(3),
            device_write_iops: disk(4),
            pids_limit: Some(7),
            ..Resources::default()
        }
    }

    #[test]
    fn version_1_has_a_file_for_each() {
        let expected = [
            "memory.limit_in_bytes = 16777216",
            "memory.soft_limit_in_bytes = 8388608",
            "memory.kmem.limit_in_bytes = 4194304",
            "memory.swappiness = 30",
            "memory.memsw.limit_in_bytes = 50331648",
            "memory.oom_control = 1",
            "cpu.shares = 1024",
            "cpu.cfs_period_us = 50000",
            "cpu.cfs_quota_us = 25000",
            "cpu.rt_period_us = 500000",
            "cpu.rt_runtime_us = 1000",
            "cpuset.cpus = 0",
            "cpuset.mems = 0",
            "blkio.weight = 1000",
            "blkio.weight_device = 8:16 10",
            "blkio.throttle.read_bps_device = 8:16 1",
            "blkio.throttle.write_bps_device = 8:16 2",
            "blkio.throttle.read_iops_device = 8:16 3",
            "blkio.throttle.write_iops_device = 8:16 4",
            "pids.max = 7",
        ];
        assert_eq!(written(&everything(), Setup::Hybrid), expected);
    }

    #[test]
    fn version_2_lacks_some_and_has_scales_of_its_own() {
        let expected = [
            "memory.max = 16777216",
            "memory.low = 8388608",
            "no kernel_memory",
            "no memory_swappiness",
            "memory.swap.max = 33554432",
            "no disable_oomkiller",
            "cpu.weight = 39",
            "cpu.max = 25000 50000",
            "no cpu_rt_period",
            "no cpu_rt_runtime",
            "cpuset.cpus = 0",
            "cpuset.mems = 0",
            "io.weight = 10000",
            "io.weight = 8:16 1",
            "io.max = 8:16 rbps=1",
            "io.max = 8:16 wbps=2",
            "io.max = 8:16 riops=3",
            "io.max = 8:16 wiops=4",
            "pids.max = 7",
        ];
        assert_eq!(written(&everything(), Setup::Unified), expected);
    }

    #[rstest]
    #[case::quota(Some(Amount::Of(20_000)), None, "cpu.max = 20000 100000")]
    #[case::period(None, Some(50_000), "cpu.max = max 50000")]
    #[case::no_quota(Some(Amount::Unlimited), None, "cpu.max = max 100000")]
    fn version_2_has_quota_and_period_in_one(
        #[case] cpu_quota: Option<Amount>,
        #[case] cpu_period: Option<u64>,
        #[case] expected: &str,
    ) {
        let resources = Resources {
            cpu_quota,
            cpu_period,
            ..Resources::default()
        };
        assert_eq!(written(&resources, Setup::Unified), [expected]);
    }

    #[rstest]
    #[case::as_much_as_memory(None, "memory.swap.max = 4096", true)]
    #[case::unlimited(Some(Amount::Unlimited), "memory.swap.max = max", false)]
    #[case::none(Some(Amount::Of(4096)), "memory.swap.max = 0", false)]
    fn swap_follows_memory(
        #[case] memory_swap: Option<Amount>,
        #[case] expected: &str,
        #[case] optional: bool,
    ) {
        let resources = Resources {
            memory: Some(4096),
            memory_swap,
            ..Resources::default()
        };
        assert_eq!(written(&resources, Setup::Unified)[1], expected);
        assert_eq!(limits(&resources, Setup::Unified)[1].optional, optional);
    }

    #[test]
    fn what_a_version_lacks_is_refused_by_its_field() {
        let limit = limit("kernel_memory", &4096, &[]);
        let error = cgroup::set(Path::new("/"), &limit.choices).unwrap_err();
        let told = limit.failed(&error);
        assert_eq!(
            told,
            "resources.kernel_memory: 4096: the host's cgroups have no control for it"
        );
    }
}
