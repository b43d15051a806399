//! Puts limits in force: on a container's cgroup and on its process.
//!
//! They are set once the process is there and before its program runs: the library needs more processes, memory and files to make
//! it than the program may have.

mod block_devices;
mod controls;
mod trial;

use std::path::Path;

use controls::limits;
use trial::Trial;
pub use trial::sweep_trials;

use crate::{
    settings::{Amount, Resources, Ulimit},
    sys::{
        cgroup::{self, ControlError, Hierarchies},
        kill_point::{self, Point},
        limits::{Limit, set_oom_score_adj},
        process::Pid,
    },
};

/// Puts limits in force on a cgroup.
///
/// # Errors
/// The field, its figure and why the kernel does not take it.
fn apply(resources: &Resources, group: &Path) -> Result<(), String> {
    let host = Hierarchies::of_host().map_err(|error| format!("resources: {error}"))?;
    for limit in limits(resources, host.setup) {
        match cgroup::set(group, &limit.choices) {
            Err(ControlError::Absent(_)) if limit.optional => {}
            done => done.map_err(|error| limit.failed(&error))?,
        }
    }
    Ok(())
}

/// Tries limits on a group of their own, which is removed at once.
///
/// # Errors
/// The field, its figure and why this host cannot enforce it.
pub fn try_limits(resources: &Resources) -> Result<(), String> {
    let host = Hierarchies::of_host().map_err(|error| format!("resources: {error}"))?;
    if limits(resources, host.setup).is_empty() {
        return Ok(());
    }
    let trial = Trial::new().map_err(|error| format!("resources: cannot make a group: {error}"))?;
    apply(resources, trial.group())?;
    kill_point::reached(Point::CreateTried);
    Ok(())
}

/// Puts a container's limits in force, but for those that its process takes itself.
///
/// # Errors
/// The field, its figure and why the kernel does not take it.
pub(super) fn enforce(resources: &Resources, group: &Path, pid: Pid) -> Result<(), String> {
    apply(resources, group)?;
    if let Some(adjustment) = resources.oom_score_adj {
        set_oom_score_adj(pid, adjustment)
            .map_err(|error| format!("resources.oom_score_adj: {adjustment}: {error}"))?;
    }
    for ulimit in &resources.ulimit {
        limit_of(ulimit)?
            .make_room(pid)
            .map_err(|error| refused(ulimit, &error))?;
    }
    Ok(())
}

/// Gives this process the limits of a container's program. Until then it may need more than they allow.
///
/// # Errors
/// The field, the limit and why the kernel does not take it.
pub(super) fn take(ulimits: &[Ulimit]) -> Result<(), String> {
    for ulimit in ulimits {
        limit_of(ulimit)?
            .take()
            .map_err(|error| refused(ulimit, &error))?;
    }
    Ok(())
}

fn limit_of(ulimit: &Ulimit) -> Result<Limit, String> {
    let figure = |amount| match amount {
        Amount::Of(figure) => Some(figure),
        Amount::Unlimited => None,
    };
    Limit::new(&ulimit.name, figure(ulimit.soft), figure(ulimit.hard))
        .ok_or_else(|| format!("resources.ulimit: there is no {}", ulimit.name))
}

fn refused(ulimit: &Ulimit, error: &std::io::Error) -> String {
    format!("resources.ulimit: {}: {error}", ulimit.name)
}
