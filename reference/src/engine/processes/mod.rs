//! ListContainerProcesses: the host's ps, on the processes of one container.

mod options;

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use super::{EngineError, Result, container::Container};
use crate::sys::{
    cgroup,
    process::{Pid, uncollected_children},
    program::{self, Bounds, Finished},
};

/// The columns where the caller does not choose.
const COLUMNS: [&str; 2] = ["-o", "uid,pid,ppid,c,stime,tname,time,cmd"];

/// The container decides how long its command lines are, and a process that hangs in the kernel can hold ps up.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(10),
    output: 8 << 20,
};

/// Never a container's own: that could be anything, and would run with the engine's rights.
const PROGRAMS: [&str; 2] = ["/usr/bin/ps", "/bin/ps"];

/// No process has it: the kernel's limit is 4,194,304.
const NOBODY: &str = "2147483647";

/// Pids in one argument; the kernel takes 128 KiB.
const PIDS_IN_ARGUMENT: usize = 8192;

/// A line with the names of the columns, and one for each process.
pub(super) fn list(container: &Container, options: &[String]) -> Result<Vec<String>> {
    let columns = columns(options)?;
    let stopped = || EngineError::Refused(format!("container {} is not running", container.id()));
    if container.state().running().is_none() {
        return Err(stopped());
    }
    let pids = pids(container)?;
    if pids.is_empty() {
        return Err(stopped());
    }
    let finished = ps(&columns, &pids)?;
    let text = String::from_utf8_lossy(&finished.output);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if !finished.complaints.is_empty() {
        return Err(refused(&finished));
    }
    // All of them may have ended since; ps then has nothing to say but the header.
    if lines.len() < 2 {
        return Err(stopped());
    }
    Ok(lines)
}

/// The options for ps. They are tried on no process at all, which shows whether ps understands them and prints a header.
fn columns(options: &[String]) -> Result<Vec<String>> {
    if options.is_empty() {
        return Ok(COLUMNS.map(str::to_owned).into());
    }
    let columns = options::check(options).map_err(EngineError::Refused)?;
    let nothing = run_ps(&columns, &[NOBODY.to_owned()])?;
    if !nothing.complaints.is_empty() {
        return Err(refused(&nothing));
    }
    if nothing.output.trim_ascii().is_empty() {
        return Err(EngineError::Refused(
            "opts: they leave no header, which is the first line of the answer".into(),
        ));
    }
    Ok(columns)
}

/// The processes of a container as the host counts them. Those that have ended and wait to be collected are in no cgroup any
/// more, but they are children of one that is.
fn pids(container: &Container) -> Result<BTreeSet<Pid>> {
    let failed = || EngineError::failed("cannot find the container's processes");
    let members = cgroup::members(&container.cgroup()).map_err(failed())?;
    let mut pids: BTreeSet<Pid> = members.into_iter().collect();
    pids.extend(uncollected_children(&pids).map_err(failed())?);
    Ok(pids)
}

/// A pid cannot have passed to another process since it was read: the kernel gives it again only after all the others.
fn ps(columns: &[String], pids: &BTreeSet<Pid>) -> Result<Finished> {
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    let lists: Vec<String> = pids
        .chunks(PIDS_IN_ARGUMENT)
        .map(|list| list.join(","))
        .collect();
    run_ps(columns, &lists)
}

fn run_ps(columns: &[String], lists: &[String]) -> Result<Finished> {
    let there = PROGRAMS.into_iter().find(|path| Path::new(path).exists());
    let program = there.ok_or_else(|| {
        EngineError::Refused("ps is not on this host: install the package procps".into())
    })?;
    let mut command = Command::new(program);
    // What it prints depends on variables, and on where it is run.
    command
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/");
    command.args(columns);
    for list in lists {
        command.args(["-p", list]);
    }
    program::run(&mut command, BOUNDS).map_err(EngineError::failed("cannot run ps"))
}

/// Its first line says what is wrong; what follows explains how to use ps.
fn refused(finished: &Finished) -> EngineError {
    let text = String::from_utf8_lossy(&finished.complaints);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    EngineError::Refused(format!("opts: ps says: {}", first.unwrap_or_default()))
}
