//! Signals, through the C library that the standard library links anyway.
#![allow(unsafe_code)]

use std::{
    ffi::c_int,
    sync::atomic::{AtomicI32, Ordering},
};

unsafe extern "C" {
    fn signal(number: c_int, handler: usize) -> usize;
    fn pause() -> c_int;
    fn _exit(code: c_int) -> !;
}

const SIG_IGN: usize = 1;

/// Linux signal numbers by name, those that scenarios use.
const NAMES: [(&str, c_int); 12] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("CHLD", 17),
    ("CONT", 18),
    ("WINCH", 28),
];

static CODE: AtomicI32 = AtomicI32::new(0);

extern "C" fn leave(_: c_int) {
    // SAFETY: _exit is async-signal-safe.
    unsafe { _exit(CODE.load(Ordering::Relaxed)) }
}

/// The number of a signal given by name, with or without `SIG`, or by number.
pub(crate) fn number(name: &str) -> Option<c_int> {
    let short = name.strip_prefix("SIG").unwrap_or(name);
    let known = NAMES
        .iter()
        .find(|(n, _)| *n == short)
        .map(|(_, number)| *number);
    known.or_else(|| short.parse().ok().filter(|n| (1..=64).contains(n)))
}

/// Ends the process with `code` when the signal comes; as process 1 the kernel would drop it otherwise.
pub(crate) fn exit_on(number: c_int, code: c_int) {
    CODE.store(code, Ordering::Relaxed);
    let handler: extern "C" fn(c_int) = leave;
    // SAFETY: the handler only calls async-signal-safe functions.
    #[allow(clippy::fn_to_numeric_cast, clippy::as_conversions)]
    unsafe {
        signal(number, handler as usize)
    };
}

/// Ignores the signal.
pub(crate) fn ignore(number: c_int) {
    // SAFETY: SIG_IGN is always a valid disposition.
    unsafe { signal(number, SIG_IGN) };
}

/// Waits until a signal ends the process.
pub(crate) fn wait_for_ever() -> ! {
    loop {
        // SAFETY: pause has no preconditions.
        unsafe { pause() };
    }
}
