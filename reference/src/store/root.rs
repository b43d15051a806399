//! The root directory of a layer, and that of a container, which is as its image has it.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::attributes::Attributes;

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
    Attributes::of(open(other)?.as_fd(), None)?.apply(open(path)?.as_fd())
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}
