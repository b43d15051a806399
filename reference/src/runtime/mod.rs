//! Containers by way of the OCI runtime library libcontainer: what a container is made of, and its process.
//!
//! The engine resolves everything into a [`ContainerSetup`]; [`ContainerSetup::spec`] is the OCI configuration of it, which
//! the monitor process turns into a container.

mod setup;

pub use setup::{ContainerSetup, Network, User};
