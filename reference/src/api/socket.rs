//! The daemon's own socket: made by one daemon at a time, and removed by the one that made it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
};

use super::address::Address;
use crate::sys::{activation, listener::Listener, wait::until_let_go};

/// Why there is no socket to serve.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another daemon has it.
    #[error("{address} is served by {owner} already")]
    Taken {
        /// The address.
        address: Address,
        /// Which process, as far as known.
        owner: String,
    },
    /// Something that is not a socket, and that nobody asked to remove.
    #[error("{} is in the way: it is not a socket", path.display())]
    InTheWay {
        /// Where.
        path: PathBuf,
    },
    /// The kernel refused.
    #[error("cannot {action}")]
    Failed {
        /// What was being done.
        action: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A socket to serve, and what has to be cleaned up after it.
#[derive(Debug)]
pub struct Socket {
    /// To accept from.
    pub(crate) listener: Listener,
    /// Dropped at the end; `None` if the file is not ours.
    pub(crate) claim: Option<Claim>,
    passed: bool,
}

impl Socket {
    /// Whether a service manager made it.
    #[must_use]
    pub fn was_passed(&self) -> bool {
        self.passed
    }
}

/// A socket file and its lock.
#[derive(Debug)]
pub(crate) struct Claim {
    path: PathBuf,
    /// Device and inode of the socket file that this daemon made.
    made: Option<(u64, u64)>,
    lock: PathBuf,
    _held: Flock<File>,
}

/// Takes the socket that a service manager passed, or else makes one.
///
/// Call it before any other thread runs.
///
/// # Errors
/// When another daemon serves the address, or the kernel refuses.
pub fn open(address: &Address) -> Result<Socket, SocketError> {
    let passed = activation::take_listener().map_err(failed("take the socket that was passed"))?;
    if let Some(socket) = passed {
        let listener = Listener::new(socket).map_err(failed("take the socket that was passed"))?;
        return Ok(Socket {
            listener,
            claim: None,
            passed: true,
        });
    }
    let mut claim = match address {
        Address::Path(path) => Some(claim(address, path)?),
        Address::Abstract(_) => None,
    };
    let bound = address
        .to_kernel()
        .map_err(io::Error::from)
        .and_then(|kernel| Listener::bind_unix(&kernel));
    let listener =
        bound.map_err(
            |error| match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
                Errno::EADDRINUSE => taken(address, "another process"),
                _ => failed(format!("listen on {address}"))(error),
            },
        )?;
    if let Some(claim) = &mut claim {
        claim.made = identity(&claim.path);
    }
    Ok(Socket {
        listener,
        claim,
        passed: false,
    })
}

fn failed(action: impl Into<String>) -> impl FnOnce(io::Error) -> SocketError {
    let action = action.into();
    move |source| SocketError::Failed { action, source }
}

fn taken(address: &Address, owner: impl Into<String>) -> SocketError {
    SocketError::Taken {
        address: address.clone(),
        owner: owner.into(),
    }
}

/// Makes the directory, takes the lock, and clears away what a dead daemon left.
fn claim(address: &Address, path: &Path) -> Result<Claim, SocketError> {
    if let Some(directory) = path.parent() {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        made.map_err(failed(format!(
            "make the directory {}",
            directory.display()
        )))?;
    }
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = PathBuf::from(lock);
    let mut held = None;
    until_let_go(|| {
        held = hold(&lock)?;
        Ok(held.is_some())
    })?;
    let held = held.ok_or_else(|| taken(address, owner(&lock)))?;
    let claim = Claim {
        path: path.to_owned(),
        made: None,
        lock,
        _held: held,
    };
    if until_let_go(|| clear(address, path))? {
        Ok(claim)
    } else {
        Err(taken(address, "another process"))
    }
}

/// Locks the file at `path`, made if need be, and writes this process's id into it; `None` if another process holds it.
fn hold(path: &Path) -> Result<Option<Flock<File>>, SocketError> {
    let action = || format!("lock {}", path.display());
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    loop {
        let file = options.open(path).map_err(failed(action()))?;
        let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((_, errno)) => return Err(failed(action())(errno.into())),
        };
        // The former owner may have removed the file after we opened it; then this lock says nothing.
        let locked = lock.metadata().ok().map(|data| (data.dev(), data.ino()));
        if locked.is_some() && locked == identity(path) {
            let written = lock
                .set_len(0)
                .and_then(|()| writeln!(lock, "{}", std::process::id()));
            written.map_err(failed(action()))?;
            return Ok(Some(lock));
        }
    }
}

/// Who holds a lock, by its own account; it may not have written it yet.
fn owner(lock: &Path) -> String {
    match fs::read_to_string(lock) {
        Ok(pid) if !pid.is_empty() => format!("process {}", pid.trim()),
        _ => "another process".to_owned(),
    }
}

/// Removes a socket file that nobody listens on; `false` if somebody does.
fn clear(address: &Address, path: &Path) -> Result<bool, SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed(format!("look at {}", path.display()))(error)),
        Ok(data) if !data.file_type().is_socket() => {
            return Err(SocketError::InTheWay {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let removed = fs::remove_file(path).map(|()| true);
            removed.map_err(failed(format!("remove {}", path.display())))
        }
        Ok(_) => Ok(false),
        Err(error) => Err(failed(format!("see whether {address} is served"))(error)),
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path)
        .ok()
        .map(|data| (data.dev(), data.ino()))
}

impl Drop for Claim {
    /// The socket file goes only if it is still the one that was made; the lock's goes while the lock is held.
    fn drop(&mut self) {
        if self.made.is_some() && self.made == identity(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = fs::remove_file(&self.lock);
    }
}
