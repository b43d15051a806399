//! The process's own resource limits.

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one, so that every allowed connection fits; returns the new limit.
///
/// # Errors
/// The kernel's.
pub fn raise_open_files() -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// The soft limit that Linux starts a process with.
const USUAL_OPEN_FILES: u64 = 1024;

/// Lowers the soft limit on open files to the usual one: what the daemon raised for its connections is not for containers.
///
/// # Errors
/// The kernel's.
pub fn lower_open_files() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, soft.min(USUAL_OPEN_FILES), hard)?;
    Ok(())
}
