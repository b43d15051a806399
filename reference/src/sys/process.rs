//! Process identities that stay true when the kernel reuses a pid.

use std::{
    collections::BTreeSet, fmt, fs, io, num::ParseIntError, str::FromStr, sync::OnceLock, thread,
    time::Duration,
};

use nix::sys::signal::kill;
use serde::{Deserialize, Serialize};

use super::pidfd::PidFd;

/// A process id: positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Pid(i32);

impl Pid {
    /// `None` if the number is not positive: 0 and below name groups of processes.
    #[must_use]
    pub fn new(raw: i32) -> Option<Self> {
        (raw > 0).then_some(Self(raw))
    }

    /// This process.
    #[must_use]
    pub fn current() -> Self {
        Self(nix::unistd::getpid().as_raw())
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for Pid {
    type Error = String;

    fn try_from(raw: i32) -> Result<Self, Self::Error> {
        Self::new(raw).ok_or_else(|| format!("{raw} is not a process id"))
    }
}

impl From<Pid> for i32 {
    fn from(pid: Pid) -> Self {
        pid.0
    }
}

impl From<Pid> for nix::unistd::Pid {
    fn from(pid: Pid) -> Self {
        Self::from_raw(pid.0)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When a process started, in clock ticks since boot (field 22 of /proc/PID/stat).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StartTime(u64);

impl fmt::Display for StartTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for StartTime {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// The running kernel's boot (/proc/sys/kernel/random/boot_id).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BootId(String);

impl BootId {
    /// This boot.
    ///
    /// # Errors
    /// If /proc cannot be read.
    pub fn current() -> io::Result<&'static Self> {
        static CURRENT: OnceLock<BootId> = OnceLock::new();
        if let Some(known) = CURRENT.get() {
            return Ok(known);
        }
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        Ok(CURRENT.get_or_init(|| Self(text.trim().to_owned())))
    }
}

/// One process and no other, across pid reuse and reboots.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The pid, as the host sees it.
    pub pid: Pid,
    /// Tells it from a later process with the same pid.
    pub start_time: StartTime,
    /// Tells it from a process of an earlier boot.
    pub boot_id: BootId,
}

impl ProcessId {
    /// The process that has `pid` now.
    ///
    /// # Errors
    /// If there is none, or /proc cannot be read.
    pub fn of(pid: Pid) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let stat = Stat::parse(&stat)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is malformed")))?;
        Ok(Self {
            pid,
            start_time: stat.start_time,
            boot_id: BootId::current()?.clone(),
        })
    }

    /// This process.
    ///
    /// # Errors
    /// If /proc cannot be read.
    pub fn current() -> io::Result<Self> {
        Self::of(Pid::current())
    }

    /// Whether it still runs; a zombie does not.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        if BootId::current().ok() != Some(&self.boot_id) {
            return false;
        }
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.pid)) else {
            return false;
        };
        Stat::parse(&stat).is_some_and(|s| s.start_time == self.start_time && !s.is_dead())
    }

    /// Whether it has ended or, in its last moments, only waits for others: the first process of a pid namespace does for all in it.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.pid)) else {
            return true;
        };
        Stat::parse(&stat).is_none_or(|stat| {
            stat.start_time != self.start_time || stat.is_dead() || stat.flags & EXITING != 0
        })
    }

    /// A descriptor of exactly this process, `None` if it has ended.
    ///
    /// # Errors
    /// If the kernel refuses the descriptor for another reason (EMFILE, EPERM).
    pub fn open(&self) -> io::Result<Option<PidFd>> {
        if !self.is_alive() {
            return Ok(None);
        }
        let Some(fd) = PidFd::open(self.pid)? else {
            return Ok(None);
        };
        // Checked again: between the first check and the open the pid may have passed to another process.
        Ok(self.is_alive().then_some(fd))
    }
}

/// The processes that have ended and whose parents, which are among `parents`, have not collected them yet.
///
/// # Errors
/// If /proc cannot be read.
pub fn uncollected_children(parents: &BTreeSet<Pid>) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::new) else {
            continue;
        };
        // It may be gone by now.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = Stat::parse(&stat)
            .filter(Stat::is_dead)
            .and_then(|stat| stat.parent);
        if parent.is_some_and(|parent| parents.contains(&parent)) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// Whether a process has executed a program since it was forked; of a dead one, until it is collected, whether it ever had. Waits
/// for one that has done neither yet, so only for one that is in the middle of it: some kernels close the descriptors that are
/// closed by execve well before the rest of it.
///
/// # Errors
/// If there is no such process.
pub fn until_executed(pid: Pid) -> io::Result<bool> {
    loop {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let stat = Stat::parse(&stat)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is malformed")))?;
        if stat.flags & FORKED == 0 {
            return Ok(true);
        }
        if stat.flags & EXITING != 0 {
            return Ok(false);
        }
        // Nothing tells when the kernel is through with it.
        thread::sleep(EXECUTION_STEP);
    }
}

/// The kernel's PF_FORKNOEXEC.
const FORKED: u64 = 0x40;
/// The kernel's PF_EXITING.
const EXITING: u64 = 0x4;
/// Short beside the time that execve takes.
const EXECUTION_STEP: Duration = Duration::from_micros(100);

/// The fields of /proc/PID/stat that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    /// `None` for a process without one.
    parent: Option<Pid>,
    flags: u64,
    start_time: StartTime,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses; it may hold blanks and parentheses itself.
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = Pid::new(fields.next()?.parse().ok()?);
        let flags = fields.nth(4)?.parse().ok()?;
        let start_time = StartTime(fields.nth(12)?.parse().ok()?);
        Some(Self {
            state,
            parent,
            flags,
            start_time,
        })
    }

    fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// A signal's number: 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Signal(i32);

impl Signal {
    /// SIGKILL.
    pub const KILL: Self = Self(9);
    /// SIGTERM.
    pub const TERM: Self = Self(15);

    /// `None` if Linux has no such signal.
    #[must_use]
    pub fn new(number: i32) -> Option<Self> {
        (1..=64).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for Signal {
    type Error = String;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        Self::new(number).ok_or_else(|| format!("{number} is not a signal"))
    }
}

impl From<Signal> for i32 {
    fn from(signal: Signal) -> Self {
        signal.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Kills a process known to be ours at this moment, such as a member of a cgroup just read.
pub(crate) fn kill_member(pid: Pid) {
    // It may have ended since the list was read; that is what was wanted.
    let _ = kill(pid.into(), nix::sys::signal::Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const REST: &str = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";

    #[rstest]
    #[case::plain("7 (sh)", 'S')]
    #[case::blanks_and_parentheses("7 (a) R (b c)", 'Z')]
    fn the_start_time_is_read_whatever_the_program_is_called(
        #[case] head: &str,
        #[case] state: char,
    ) {
        let stat = Stat::parse(&format!("{head} {state} {REST}"));
        assert_eq!(
            stat,
            Some(Stat {
                state,
                parent: Pid::new(1),
                flags: 4_194_560,
                start_time: StartTime(4242)
            })
        );
    }

    #[test]
    fn this_process_has_executed_its_program() {
        assert!(until_executed(Pid::current()).unwrap());
    }

    /// A child without a program of its own, which waits, and then executes one if it may.
    #[allow(unsafe_code)]
    fn forked(wait: &Duration, program: Option<&std::ffi::CStr>) -> nix::unistd::Pid {
        // SAFETY: the child makes system calls alone.
        match unsafe { nix::unistd::fork() }.unwrap() {
            nix::unistd::ForkResult::Parent { child } => child,
            nix::unistd::ForkResult::Child => {
                thread::sleep(*wait);
                if let Some(program) = program {
                    let _ = nix::unistd::execv(program, &[program]);
                }
                // SAFETY: as above.
                unsafe { nix::libc::_exit(1) }
            }
        }
    }

    #[test]
    fn one_that_is_about_to_execute_its_program_is_waited_for() {
        let child = forked(&Duration::from_millis(100), Some(c"/bin/true"));
        let executed = until_executed(Pid::new(child.as_raw()).unwrap());
        nix::sys::wait::waitpid(child, None).unwrap();
        assert!(executed.unwrap());
    }

    #[rstest]
    #[case::by_itself(Duration::from_millis(100), false)]
    #[case::killed(Duration::from_secs(60), true)]
    fn one_that_ends_instead_has_not(#[case] wait: Duration, #[case] killed: bool) {
        let child = forked(&wait, None);
        if killed {
            kill(child, nix::sys::signal::Signal::SIGKILL).unwrap();
        }
        let executed = until_executed(Pid::new(child.as_raw()).unwrap());
        nix::sys::wait::waitpid(child, None).unwrap();
        assert!(!executed.unwrap());
    }

    #[test]
    fn a_process_is_itself_and_not_an_earlier_one() {
        let me = ProcessId::current().unwrap();
        assert!(me.is_alive());
        assert!(me.open().unwrap().is_some());
        let earlier = ProcessId {
            start_time: StartTime(me.start_time.0 + 1),
            ..me.clone()
        };
        assert!(!earlier.is_alive());
        assert!(earlier.open().unwrap().is_none());
        let other_boot = ProcessId {
            boot_id: BootId("another".into()),
            ..me
        };
        assert!(!other_boot.is_alive());
    }

    #[test]
    fn a_child_that_nobody_collected_is_found() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let me = BTreeSet::from([Pid::current()]);
        let ended = nix::sys::wait::Id::Pid(pid.into());
        let flags = nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT;
        nix::sys::wait::waitid(ended, flags).unwrap();
        assert!(uncollected_children(&me).unwrap().contains(&pid));
        child.wait().unwrap();
        assert!(!uncollected_children(&me).unwrap().contains(&pid));
    }

    #[rstest]
    #[case(0, false)]
    #[case(1, true)]
    #[case(64, true)]
    #[case(65, false)]
    #[case(-9, false)]
    fn signals_are_1_to_64(#[case] number: i32, #[case] valid: bool) {
        assert_eq!(Signal::new(number).is_some(), valid);
    }
}
