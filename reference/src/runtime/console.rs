//! The socket on which a container's terminal comes out: the runtime makes it inside, and sends its master.

use std::{
    fs::{self, File},
    io::{self, IoSliceMut},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
};

use nix::{
    cmsg_space,
    sys::socket::{MsgFlags, recvmsg},
};

use crate::sys::fd::received;

/// A listening socket in the bundle.
pub(super) struct Console {
    listener: UnixListener,
    path: PathBuf,
}

impl Console {
    /// Listens in the bundle, whose path may be longer than a socket address.
    pub(super) fn listen(bundle: &Path) -> io::Result<Self> {
        let path = bundle.join("console");
        // Left by a start that was cut short.
        let _ = fs::remove_file(&path);
        let directory = File::open(bundle)?;
        let short = format!("/proc/self/fd/{}/console", directory.as_raw_fd());
        let listener = UnixListener::bind(short)?;
        // Who did not connect by now does not come.
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// Where the runtime is to connect to.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The master, once the runtime has made the container.
    pub(super) fn master(self) -> io::Result<OwnedFd> {
        let (connection, _) = self.listener.accept()?;
        let mut space = cmsg_space!(RawFd);
        let mut name = [0; 64];
        let mut parts = [IoSliceMut::new(&mut name)];
        let message = recvmsg::<()>(
            connection.as_raw_fd(),
            &mut parts,
            Some(&mut space),
            MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT,
        )?;
        received(&message)?.ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
