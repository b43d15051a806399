//! The kernel: mounts, pidfds, processes, cgroups, peers. The only place with `unsafe`.
pub mod mount;
pub mod tree;
