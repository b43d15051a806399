//! Containers by way of the OCI runtime library libcontainer: what a container is made of, and its process.
//!
//! The engine resolves everything into a [`ContainerSetup`]; [`ContainerSetup::write_bundle`] writes the OCI configuration of
//! it, which the monitor process turns into a [`Container`].

mod bundle;
mod confinement;
mod console;
mod container;
mod devices;
mod executor;
mod files;
mod filter;
mod guard;
mod isolation;
mod joins;
mod limits;
mod maker;
mod mounts;
mod placement;
mod resolver;
mod seccomp;
mod setup;
mod spec;
mod streams;
mod trouble;
mod volumes;
mod working_directory;

/// Does ahead, once for all that are forked from this process, what the runtime library does at its first use.
pub fn warm_up() {
    // It keeps the descriptor. Should there be none now, it asks again.
    let _ = pathrs::procfs::ProcfsHandle::new();
}

pub use bundle::BundleError;
pub use container::{Container, Pipes};
pub use files::FILES as PROVIDED_FILES;
pub use filter::Uncompiled;
pub use joins::Join;
pub use limits::{sweep_trials, try_limits};
pub use mounts::{VolumeDirectories, mounts};
pub use seccomp::Profile;
pub use setup::{ContainerSetup, Network, User, cgroup_path, started_cgroup};
pub use spec::OCI_VERSION;
