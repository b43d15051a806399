//! The process that monitors are forked from: the daemon's side of it.
//!
//! A monitor that is executed spends most of its start on becoming a program again: linking, allocating, finding out what the host
//! is like. So one process does that ahead, waits, and is copied for each start. It is the daemon's helper and ends with it; the
//! monitors are children of the daemon and outlive both.

use std::{
    ffi::OsStr,
    io::{self, IoSlice},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};

use crate::sys::{
    kill_point,
    pidfd::PidFd,
    process::{Pid, Signal},
};

/// The hidden subcommand that makes the program a zygote.
pub const SUBCOMMAND: &str = "monitors";

/// What /proc shows of a monitor, in the place of [`SUBCOMMAND`].
pub(super) const MONITOR: &str = "monitor";

/// Room for the words of a monitor, which /proc shows in place of the zygote's.
const TITLE: usize = 2048;

/// A zygote, and the socket on which it is asked for monitors. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Zygote {
    socket: OwnedFd,
    child: Child,
}

impl Zygote {
    /// Executes `program`, which must answer [`SUBCOMMAND`].
    pub(super) fn spawn(program: &Path) -> io::Result<Self> {
        let (socket, theirs) = socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )?;
        let mut command = Command::new(program);
        command
            .arg0("podman-reference")
            .args([SUBCOMMAND, &"-".repeat(TITLE)])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(theirs)
            .stderr(Stdio::null());
        let child = kill_point::hand_on(&mut command).spawn()?;
        Ok(Self { socket, child })
    }

    /// Ends it.
    pub(super) fn kill(&self) -> io::Result<()> {
        // It is collected when this is dropped, so the number is its own.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::new);
        if let Some(process) = pid.map(PidFd::open).transpose()?.flatten() {
            process.send(Signal::KILL)?;
        }
        Ok(())
    }

    /// Asks for a monitor with these arguments, which answers on `report`: first with its number, as four bytes, little end
    /// first. The end of the pipe without a number means that there is none; zero, and the kernel's error in the same form, that
    /// there cannot be one.
    pub(super) fn ask<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        report: impl AsFd,
    ) -> io::Result<()> {
        let words: Vec<&[u8]> = arguments.into_iter().map(OsStrExt::as_bytes).collect();
        let message = words.join(&0);
        let descriptor = [report.as_fd().as_raw_fd()];
        sendmsg::<()>(
            self.socket.as_raw_fd(),
            &[IoSlice::new(&message)],
            &[ControlMessage::ScmRights(&descriptor)],
            MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        Ok(())
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        // It may have ended by itself; it is collected either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
