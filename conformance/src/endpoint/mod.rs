//! Addresses, connections and frames: what it takes to talk to an endpoint.

mod activation;
mod address;
mod call;
mod connection;
mod deadline;

pub use activation::{Activated, ActivationError};
pub use address::{Address, AddressError, ConnectError};
pub use call::{Call, CallError, Reply, call};
pub use connection::{Connection, FRAME_LIMIT, Received, SendError};
pub use deadline::{Deadline, Interrupt, Waited};
