//! The kernel: mounts, pidfds, processes, cgroups, peers. The only place with `unsafe`.

pub mod detach;
pub(crate) mod fd;
pub mod memfd;
pub mod mount;
pub mod pidfd;
pub mod process;
pub mod reap;
pub mod replace;
pub mod tree;
pub mod wait;
