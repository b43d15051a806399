//! A listening socket handed over by a service manager (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES).
#![allow(unsafe_code)]

use std::{
    env, io,
    os::fd::{FromRawFd, OwnedFd, RawFd},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::socket::{getsockopt, sockopt},
};

/// The first descriptor of the protocol.
const FIRST: RawFd = 3;
/// Which of several sockets is meant.
const NAME: &str = "varlink";

/// Takes the listening socket that was handed to this process, if one was.
///
/// Call it once, before any other thread runs: it takes ownership of the descriptor and clears the variables, so that
/// no child takes them for its own.
///
/// # Errors
/// When the descriptor is not open or is not a listening socket, or when none of several is named `varlink`.
pub fn take_listener() -> io::Result<Option<OwnedFd>> {
    let variable = |name: &str| env::var(name).ok();
    let offset = pick(
        variable("LISTEN_PID").as_deref(),
        variable("LISTEN_FDS").as_deref(),
        variable("LISTEN_FDNAMES").as_deref(),
        std::process::id(),
    )?;
    clear_variables();
    offset
        .map(|(offset, count)| adopt(offset, count))
        .transpose()
}

/// Which descriptor, counted from the first, and of how many.
fn pick(
    pid: Option<&str>,
    count: Option<&str>,
    names: Option<&str>,
    own: u32,
) -> io::Result<Option<(RawFd, RawFd)>> {
    if pid.and_then(|text| text.parse().ok()) != Some(own) {
        return Ok(None);
    }
    let count: RawFd = count.and_then(|text| text.parse().ok()).unwrap_or(0);
    match count {
        ..1 => Ok(None),
        1 => Ok(Some((0, 1))),
        _ => names
            .and_then(|names| names.split(':').position(|name| name == NAME))
            .and_then(|position| RawFd::try_from(position).ok())
            .filter(|position| *position < count)
            .map(|position| Some((position, count)))
            .ok_or_else(|| invalid(format!("none of {count} sockets is named {NAME}"))),
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

fn clear_variables() {
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
        // SAFETY: the caller promises that no other thread runs yet.
        unsafe { env::remove_var(name) };
    }
}

fn adopt(offset: RawFd, count: RawFd) -> io::Result<OwnedFd> {
    for fd in FIRST..FIRST + count {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
            .map_err(|error| invalid(format!("descriptor {fd} was announced: {error}")))?;
    }
    let fd = FIRST + offset;
    // SAFETY: it is open (the call above succeeded) and, by the protocol, ours.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    match getsockopt(&socket, sockopt::AcceptConn) {
        Ok(true) => Ok(socket),
        _ => Err(invalid(format!(
            "descriptor {fd} is not a listening socket"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_announced(None, None, None, None)]
    #[case::for_another_process(Some("8"), Some("1"), None, None)]
    #[case::not_a_pid(Some("x"), Some("1"), None, None)]
    #[case::none(Some("7"), Some("0"), None, None)]
    #[case::not_a_count(Some("7"), Some("-"), None, None)]
    #[case::one(Some("7"), Some("1"), None, Some((0, 1)))]
    #[case::one_of_another_name(Some("7"), Some("1"), Some("x"), Some((0, 1)))]
    #[case::named(Some("7"), Some("3"), Some("a:varlink:b"), Some((1, 3)))]
    fn a_socket_is_picked(
        #[case] pid: Option<&str>,
        #[case] count: Option<&str>,
        #[case] names: Option<&str>,
        #[case] expected: Option<(RawFd, RawFd)>,
    ) {
        assert_eq!(pick(pid, count, names, 7).unwrap(), expected);
    }

    #[rstest]
    #[case::unnamed(None)]
    #[case::other_names(Some("a:b"))]
    #[case::more_names_than_sockets(Some("a:b:varlink"))]
    fn several_sockets_need_the_name(#[case] names: Option<&str>) {
        assert!(pick(Some("7"), Some("2"), names, 7).is_err());
    }
}
