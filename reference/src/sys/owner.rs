//! Who made a thing that lasts for a moment only: a process, in words that can be part of a name. Should it die before it has
//! cleared up, a later process can tell.

use std::{fmt, fs, io};

use super::process::{BootId, Pid, ProcessId, StartTime};

/// A process of this boot. `PIDNAMESPACE-PID-STARTTIME` as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The inode of the pid namespace that the pid counts in: another one has other processes.
    namespace: u64,
    pid: Pid,
    start_time: StartTime,
}

impl Owner {
    /// This process.
    ///
    /// # Errors
    /// If /proc cannot be read.
    pub fn current() -> io::Result<Self> {
        Self::of(Pid::current())
    }

    /// The process that has `pid` now, in this process's pid namespace.
    ///
    /// # Errors
    /// If there is none, or /proc cannot be read.
    pub fn of(pid: Pid) -> io::Result<Self> {
        let ProcessId {
            pid, start_time, ..
        } = ProcessId::of(pid)?;
        Ok(Self {
            namespace: namespace()?,
            pid,
            start_time,
        })
    }

    /// Reads the words at the beginning of a text, which end with it or at a further `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split('-');
        Some(Self {
            namespace: words.next()?.parse().ok()?,
            pid: Pid::new(words.next()?.parse().ok()?)?,
            start_time: words.next()?.parse().ok()?,
        })
    }

    /// Whether it has surely ended. Of another pid namespace nobody here can tell.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let Ok(boot_id) = BootId::current() else {
            return false;
        };
        let process = ProcessId {
            pid: self.pid,
            start_time: self.start_time,
            boot_id: boot_id.clone(),
        };
        namespace().is_ok_and(|here| here == self.namespace) && !process.is_alive()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.namespace, self.pid, self.start_time)
    }
}

/// The inode of this process's pid namespace.
fn namespace() -> io::Result<u64> {
    let link = fs::read_link("/proc/self/ns/pid")?;
    let digits: String = link
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_process_is_there_until_it_has_ended() {
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let owner = Owner::of(pid).unwrap();
        assert_eq!(Owner::parse(&format!("{owner}-7")), Some(owner));
        assert!(!owner.is_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(owner.is_gone());
    }

    #[test]
    fn who_has_the_pid_later_is_another_one() {
        let me = Owner::current().unwrap().to_string();
        let earlier = format!("{}0", me);
        assert!(Owner::parse(&earlier).unwrap().is_gone());
    }

    #[test]
    fn nobody_tells_of_another_pid_namespace() {
        assert!(!Owner::parse("1-1-1").unwrap().is_gone());
    }

    #[rstest]
    #[case::nothing("")]
    #[case::too_short("4026531836-7")]
    #[case::no_process("4026531836-0-7")]
    #[case::no_numbers("a-b-c")]
    fn other_texts_name_nobody(#[case] text: &str) {
        assert_eq!(Owner::parse(text), None);
    }
}
