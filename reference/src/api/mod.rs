//! Serves the interface: socket, frames, dispatch, and one file per group of methods.
//!
//! ```text
//! socket -> server -> connection -> frames -> message -> definition -> dispatch -> system | containers | images
//! ```

use std::{io, os::fd::BorrowedFd, sync::Arc};

mod address;
mod call;
mod connection;
mod containers;
mod definition;
mod dispatch;
mod errors;
#[cfg(test)]
mod fake;
mod frames;
mod generated;
mod images;
mod interface;
mod message;
mod server;
mod service;
mod socket;
mod system;

pub use address::{Address, AddressError};
pub use definition::{PARAMETER_BYTES, PARAMETER_VALUES};
pub use frames::{MESSAGE_BYTES, MESSAGE_TIME};
pub use message::NESTING;
pub use server::{Access, CONNECTIONS, GRACE, WRITE_TIME};
pub use socket::{Socket, SocketError, open as open_socket};

use crate::engine::Engine;

/// Serves the engine until `stop` becomes readable and the calls that are being worked on have ended.
///
/// # Errors
/// When the kernel refuses to wait.
pub fn serve(
    socket: Socket,
    engine: Arc<Engine>,
    access: Access,
    stop: BorrowedFd<'_>,
) -> io::Result<()> {
    let Socket {
        listener, claim, ..
    } = socket;
    let ended = server::Server::new(interface::Podman(engine), access)?.run(listener, stop);
    drop(claim);
    ended
}
