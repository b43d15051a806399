//! The daemon's life, from its signals to its last call.

use std::{error::Error, io::Write, os::fd::AsFd, sync::Arc};

use crate::{
    api::{self, Access},
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
    let engine = Arc::new(Engine::open(options.engine())?);
    let mut output = std::io::stdout();
    writeln!(
        output,
        "podman-reference {} serves {}",
        env!("CARGO_PKG_VERSION"),
        options.address
    )?;
    output.flush()?;
    api::serve(
        socket,
        engine,
        Access::new(&options.allow_uid),
        signals.as_fd(),
    )?;
    Ok(())
}

/// A panic inside a call is answered there; here it is told to the log, with its place.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
}
