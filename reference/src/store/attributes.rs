//! What a file or directory has beside its content: owner, mode, extended attributes and times.

use std::{io, os::fd::BorrowedFd};

use rustix::fs::{Gid, Mode, Stat, Timespec, Timestamps, Uid, XattrFlags};

use crate::{settings::IdMappings, sys::layers};

/// Of a file or directory.
pub(super) struct Attributes {
    stat: Stat,
    owner: (Uid, Gid),
    extended: Vec<(String, Vec<u8>)>,
}

impl Attributes {
    /// Those of an open one; see [`owner`].
    pub(super) fn of(file: BorrowedFd<'_>, ids: Option<&IdMappings>) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        Ok(Self {
            owner: owner(&stat, ids),
            stat,
            extended: layers::attributes(file)?,
        })
    }

    /// Gives them to another one.
    pub(super) fn apply(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        // In this order: a new owner clears setuid bits and capabilities.
        let (uid, gid) = self.owner;
        rustix::fs::fchown(file, Some(uid), Some(gid))?;
        rustix::fs::fchmod(file, mode(&self.stat))?;
        for (name, value) in &self.extended {
            rustix::fs::fsetxattr(file, name.as_str(), value, XattrFlags::empty())?;
        }
        Ok(rustix::fs::futimens(file, &times(&self.stat))?)
    }
}

/// The owner; with `ids`, who that one of a container with these ids is on the host.
pub(super) fn owner(stat: &Stat, ids: Option<&IdMappings>) -> (Uid, Gid) {
    let (uid, gid) = ids.map_or((stat.st_uid, stat.st_gid), |ids| {
        let owner = ids.owner_of(stat.st_uid, stat.st_gid);
        (owner.uid, owner.gid)
    });
    (Uid::from_raw(uid), Gid::from_raw(gid))
}

pub(super) fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & 0o7777)
}

pub(super) fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}
