//! Who a container's standard streams belong to: its user, so that programs can open them by their names in /dev.

use std::{io, path::PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Stat, Uid};

use crate::sys::{ownership::Owner, process::Pid};

/// The kernel's numbers of terminals as containers have them (Unix98).
const TERMINALS: std::ops::RangeInclusive<u32> = 136..=143;

/// Gives the pipes or the terminal of the container with this first process to `owner`. What else its streams are, such as
/// /dev/null, is not the container's alone and stays whose it is.
///
/// # Errors
/// If the process has ended, or the kernel refuses.
pub(super) fn give(first: Pid, owner: Owner) -> io::Result<()> {
    for number in 0..=2 {
        let path = PathBuf::from(format!("/proc/{first}/fd/{number}"));
        // To the open file itself, whatever its name leads to.
        let stream = rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let (user, group) = match kind(&rustix::fs::fstat(&stream)?) {
            Kind::Pipe => (owner.uid, Some(Gid::from_raw(owner.gid))),
            // The group of terminals is there for programs that write to other people's.
            Kind::Terminal => (owner.uid, None),
            Kind::Shared => continue,
        };
        let itself = AtFlags::EMPTY_PATH;
        rustix::fs::chownat(&stream, "", Some(Uid::from_raw(user)), group, itself)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Pipe,
    Terminal,
    Shared,
}

fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Kind::Pipe,
        FileType::CharacterDevice if TERMINALS.contains(&rustix::fs::major(stat.st_rdev)) => {
            Kind::Terminal
        }
        _ => Kind::Shared,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_use_too_is_nobodys_stream() {
        let null = rustix::fs::stat("/dev/null").unwrap();
        assert_eq!(kind(&null), Kind::Shared);
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(kind(&rustix::fs::fstat(reader).unwrap()), Kind::Pipe);
    }
}
