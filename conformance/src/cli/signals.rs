//! Ctrl-C and SIGTERM: the first ends the run and lets it clean up, the second ends the program.

use std::{io, sync::Arc};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::endpoint::Interrupt;

/// Throws the interrupt on the first signal; `service` is a process to end on the second.
pub(super) fn watch(interrupt: &Arc<Interrupt>, service: Option<u32>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let interrupt = Arc::clone(interrupt);
    let wait = move || {
        for _ in signals.forever() {
            if interrupt.is_thrown() {
                end(service);
            }
            interrupt.throw();
            anstream::eprintln!("interrupted: cleaning up; once more ends at once");
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    Ok(())
}

fn end(service: Option<u32>) -> ! {
    if let Some(pid) = service.and_then(|pid| i32::try_from(pid).ok()) {
        // The service was started by this program and is not waited for before its end, so the pid is its own.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    std::process::exit(130)
}
