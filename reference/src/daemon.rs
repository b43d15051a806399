//! The daemon's life, from its signals to its last call.

use std::{
    error::Error,
    io::{Write, stdout},
    os::fd::AsFd,
    sync::Arc,
};

use crate::{
    api::{self, Access, Socket},
    config::Serve,
    engine::Engine,
    sys::{limits, signals::Signals},
};

/// Serves until SIGTERM or SIGINT. Prints one line to standard output once clients can connect.
///
/// # Errors
/// When socket or storage are in use or not usable.
pub fn serve(options: &Serve) -> Result<(), Box<dyn Error>> {
    // Before any other thread: the mask is inherited, and so is what the socket does with modes and variables.
    let signals = Signals::block()?;
    let socket = api::open_socket(&options.address)?;
    log_panics();
    if let Err(error) = limits::raise_open_files() {
        tracing::warn!(%error, "the limit on open files stays as it is");
    }
    let engine = Arc::new(Engine::open(&options.engine())?);
    tell_ready(&socket, options);
    api::serve(
        socket,
        engine,
        Access::new(&options.allow_uid),
        signals.as_fd(),
    )?;
    Ok(())
}

/// One line, which nobody may be there to read.
fn tell_ready(socket: &Socket, options: &Serve) {
    let version = env!("CARGO_PKG_VERSION");
    let _ = if socket.was_passed() {
        writeln!(
            stdout(),
            "podman-reference {version} serves the socket that was passed"
        )
    } else {
        writeln!(
            stdout(),
            "podman-reference {version} serves {}",
            options.address
        )
    };
}

/// A panic inside a call is answered there; here it is told to the log, with its place.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}
