//! The root directory of a layer, and that of a container, which is as its image has it.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};

use crate::sys::layers;

/// Of a root directory that nobody described.
const MODE: Mode = Mode::from_raw_mode(0o755);

/// Makes a root directory that everybody can enter, whatever the process's umask.
pub(super) fn create(path: &Path) -> io::Result<()> {
    rustix::fs::mkdir(path, MODE)?;
    Ok(rustix::fs::chmodat(CWD, path, MODE, AtFlags::empty())?)
}

/// Makes a root directory with the owner, mode, extended attributes and time of another one: in an overlay the uppermost layer's
/// counts.
pub(super) fn create_like(path: &Path, other: &Path) -> io::Result<()> {
    create(path)?;
    let (new, other) = (open(path)?, open(other)?);
    let stat = rustix::fs::fstat(&other)?;
    // In this order: a new owner clears capabilities.
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::fchown(&new, Some(uid), Some(gid))?;
    rustix::fs::fchmod(&new, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    for (name, value) in layers::attributes(other.as_fd())? {
        rustix::fs::fsetxattr(&new, name, &value, XattrFlags::empty())?;
    }
    let at = |tv_sec, tv_nsec: u64| Timespec {
        tv_sec,
        tv_nsec: i64::try_from(tv_nsec).unwrap_or(0),
    };
    let times = Timestamps {
        last_access: at(stat.st_atime, stat.st_atime_nsec),
        last_modification: at(stat.st_mtime, stat.st_mtime_nsec),
    };
    Ok(rustix::fs::futimens(&new, &times)?)
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}
