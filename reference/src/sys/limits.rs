//! Resource limits of processes.

use std::{fs, io};

use rustix::{
    process::{Resource, Rlimit, getrlimit, prlimit, setrlimit},
    thread::{CapabilitySet, capabilities},
};

use super::process::Pid;

/// The soft limit that Linux starts a process with.
const USUAL_OPEN_FILES: u64 = 1024;

/// The limits by their short names.
const NAMES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// A limit of a process, by its short name. `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    resource: Resource,
    soft: Option<u64>,
    hard: Option<u64>,
}

impl Limit {
    /// `None` if there is no limit of this name.
    #[must_use]
    pub fn new(name: &str, soft: Option<u64>, hard: Option<u64>) -> Option<Self> {
        let (_, resource) = NAMES.into_iter().find(|(known, _)| *known == name)?;
        Some(Self {
            resource,
            soft,
            hard,
        })
    }

    /// Whether this process may not pass such a limit on: it is above its own hard one, and it lacks CAP_SYS_RESOURCE.
    #[must_use]
    pub fn is_beyond(&self) -> bool {
        above(self.hard, getrlimit(self.resource).maximum) && !may_exceed()
    }

    /// Gives it to this process.
    ///
    /// # Errors
    /// The kernel's.
    pub fn take(&self) -> io::Result<()> {
        Ok(setrlimit(self.resource, self.limit())?)
    }

    /// Raises the hard limit of another process as far as this one asks for: that process may be without the right to.
    ///
    /// # Errors
    /// The kernel's.
    pub fn make_room(&self, of: Pid) -> io::Result<()> {
        // Its limits are this process's, which started it.
        let mut own = getrlimit(self.resource);
        if above(self.hard, own.maximum) {
            own.maximum = self.hard;
            prlimit(rustix::process::Pid::from_raw(of.get()), self.resource, own)?;
        }
        Ok(())
    }

    fn limit(&self) -> Rlimit {
        Rlimit {
            current: self.soft,
            maximum: self.hard,
        }
    }
}

fn above(limit: Option<u64>, other: Option<u64>) -> bool {
    match (limit, other) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(limit), Some(other)) => limit > other,
    }
}

/// Whether this process has CAP_SYS_RESOURCE, without which limits cannot be raised.
#[must_use]
pub fn may_exceed() -> bool {
    capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_RESOURCE))
}

/// How readily the kernel kills this process for want of memory.
///
/// # Errors
/// If /proc cannot be read.
pub fn oom_score_adj() -> io::Result<i32> {
    let text = fs::read_to_string("/proc/self/oom_score_adj")?;
    text.trim().parse().map_err(io::Error::other)
}

/// Says how readily the kernel is to kill a process for want of memory.
///
/// # Errors
/// The kernel's: below the process's own takes CAP_SYS_RESOURCE.
pub fn set_oom_score_adj(of: Pid, adjustment: i32) -> io::Result<()> {
    fs::write(format!("/proc/{of}/oom_score_adj"), adjustment.to_string())
}

/// Raises the soft limit on open files to the hard one, so that every allowed connection fits; returns the new limit.
///
/// # Errors
/// The kernel's.
pub fn raise_open_files() -> io::Result<u64> {
    let hard = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: hard,
        maximum: hard,
    };
    setrlimit(Resource::Nofile, raised)?;
    Ok(hard.unwrap_or(u64::MAX))
}

/// Lowers the soft limit on open files to the usual one: what the daemon raised for its connections is not for containers.
///
/// # Errors
/// The kernel's.
pub fn lower_open_files() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let soft = limit.current.unwrap_or(USUAL_OPEN_FILES);
    let lowered = Rlimit {
        current: Some(soft.min(USUAL_OPEN_FILES)),
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, lowered)?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::equal(Some(5), Some(5), false)]
    #[case::more(Some(6), Some(5), true)]
    #[case::unlimited(None, Some(5), true)]
    #[case::below_unlimited(Some(6), None, false)]
    #[case::both_unlimited(None, None, false)]
    fn no_figure_is_above_unlimited(
        #[case] limit: Option<u64>,
        #[case] other: Option<u64>,
        #[case] expected: bool,
    ) {
        assert_eq!(above(limit, other), expected);
    }

    #[test]
    fn a_limit_has_a_name() {
        assert!(Limit::new("nofile", Some(1), Some(1)).is_some());
        assert!(Limit::new("files", Some(1), Some(1)).is_none());
    }
}
