//! The zygote's side: waits to be asked for monitors, and forks one for each request.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, IoSliceMut, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd, RawFd},
        unix::ffi::OsStringExt,
    },
};

use nix::{
    cmsg_space,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{MsgFlags, recvmsg},
};

use crate::{
    monitor::zygote::{MONITOR, SUBCOMMAND},
    sys::{
        detach::{detach, leave_session},
        fd::received,
        fork::sibling,
        limits,
        process::{BootId, Pid},
        title::Title,
    },
};

/// The program's name, as /proc shows it.
const NAME: &str = "podman-reference";
/// The longest request.
const REQUEST: usize = 64 << 10;

/// What a process was forked for.
pub(super) struct Request {
    /// The id of the container, and its two directories.
    pub(super) arguments: Vec<OsString>,
    /// Where the daemon reads how the start goes.
    pub(super) report: File,
}

/// Forks a process for each request, and returns in that one; `None` in the zygote, once the daemon is gone. `warm_up` does ahead
/// what each of them would have to do.
pub(super) fn requests(warm_up: impl FnOnce()) -> io::Result<Option<Request>> {
    let socket = detach()?;
    let mut title = Title::take_over()?;
    title.set([NAME, SUBCOMMAND].map(str::as_bytes));
    rustix::thread::set_name(c"podman-monitors")?;
    limits::lower_open_files()?;
    // Nothing is lost if one of these fails: it is tried again where it is needed.
    let _ = BootId::current();
    warm_up();
    while let Some((message, report)) = receive(&socket)? {
        let mut report = File::from(report);
        match sibling() {
            Ok(Some(_)) => {}
            Ok(None) => {
                drop(socket);
                report.write_all(&Pid::current().get().to_le_bytes())?;
                return begin(&message, report, &mut title).map(Some);
            }
            Err(error) => {
                let number = error.raw_os_error().unwrap_or_default();
                let _ = report.write_all(&[0_i32.to_le_bytes(), number.to_le_bytes()].concat());
            }
        }
    }
    Ok(None)
}

/// What is different about a monitor.
fn begin(message: &[u8], report: File, title: &mut Title) -> io::Result<Request> {
    leave_session()?;
    let words = || message.split(|byte| *byte == 0);
    let name = [NAME, MONITOR].map(str::as_bytes);
    title.set(name.into_iter().chain(words()));
    rustix::thread::set_name(c"podman-monitor")?;
    Ok(Request {
        arguments: words()
            .map(|word| OsString::from_vec(word.to_vec()))
            .collect(),
        report,
    })
}

/// The next request and its descriptor; `None` once the daemon is gone.
fn receive(socket: &OwnedFd) -> io::Result<Option<(Vec<u8>, OwnedFd)>> {
    loop {
        let mut message = vec![0; REQUEST];
        let mut space = cmsg_space!(RawFd);
        let mut parts = [IoSliceMut::new(&mut message)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let answer = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
        let length = answer.bytes;
        let report = received(&answer)?;
        if length == 0 || is_left(socket) {
            return Ok(None);
        }
        if let Some(report) = report {
            message.truncate(length);
            return Ok(Some((message, report)));
        }
    }
}

/// Whether the daemon is gone. Then the next one may look after its containers already, and none must begin any more.
fn is_left(socket: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO) != Ok(0)
}
