//! GetContainerStats.

use std::time::{Duration, Instant};

use procfs::Current;

use super::{
    ContainerStats, EngineError, Result,
    clock::Time,
    container::Container,
    state::{Run, Running},
    sync::lock,
};
use crate::sys::{cgroup, traffic::Traffic};

const UNREADABLE: &str = "cannot read what the container uses";

/// The processor time that a run had used at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    run: Run,
    at: Instant,
    cpu: u64,
}

/// What a container uses now; nothing if it does not run.
pub(super) fn stats(container: &Container) -> Result<ContainerStats> {
    let nothing = ContainerStats {
        id: container.id(),
        name: container.record.name.clone(),
        ..ContainerStats::default()
    };
    let (run, running) = {
        let state = container.state();
        match (state.under_way(), state.running().cloned()) {
            (Some(run), Some(running)) => (run, running),
            _ => return Ok(nothing),
        }
    };
    let usage = cgroup::Usage::of(&container.cgroup()).map_err(EngineError::failed(UNREADABLE))?;
    let host = procfs::Meminfo::current().map_err(EngineError::failed(UNREADABLE))?;
    // It fails if the process has ended meanwhile.
    let traffic = Traffic::of(running.init.process.pid).unwrap_or_default();
    if !running.init.process.is_alive() {
        return Ok(nothing);
    }
    let limit = usage.memory_limit.unwrap_or(u64::MAX).min(host.mem_total);
    Ok(ContainerStats {
        cpu: cpu_share(container, run, &running, usage.cpu),
        cpu_nano: integer(usage.cpu),
        system_nano: integer(usage.system),
        memory: integer(usage.memory),
        memory_limit: integer(limit),
        memory_share: share(
            Duration::from_nanos(usage.memory),
            Duration::from_nanos(limit),
        ),
        received: integer(traffic.received),
        sent: integer(traffic.sent),
        block_read: integer(usage.block_read),
        block_written: integer(usage.block_written),
        pids: integer(usage.pids),
        ..nothing
    })
}

/// Since the last sample of this run; the first one counts from its start.
fn cpu_share(container: &Container, run: Run, running: &Running, cpu: u64) -> f64 {
    let at = Instant::now();
    let next = Sample { run, at, cpu };
    let last = lock(&container.sample)
        .replace(next)
        .filter(|last| last.run == run);
    let (used, passed) = match last {
        Some(last) => (
            cpu.saturating_sub(last.cpu),
            at.saturating_duration_since(last.at),
        ),
        None => (cpu, Time::from(running.init.started_at).age()),
    };
    share(Duration::from_nanos(used), passed)
}

/// In per cent; 0 of nothing. Durations divide where numbers of this size would first have to lose digits.
fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        0.0
    } else {
        part.div_duration_f64(whole) * 100.0
    }
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 0, 0.0)]
    #[case(5, 0, 0.0)]
    #[case(1, 4, 25.0)]
    #[case(2, 1, 200.0)]
    #[case(1 << 40, 1 << 41, 50.0)]
    fn shares_are_per_cent(#[case] part: u64, #[case] whole: u64, #[case] wanted: f64) {
        let share = share(Duration::from_nanos(part), Duration::from_nanos(whole));
        assert!((share - wanted).abs() < 1e-9, "{share}");
    }
}
