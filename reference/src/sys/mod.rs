//! The kernel: mounts, pidfds, processes, cgroups, peers. The only place with `unsafe`.

pub mod activation;
pub mod capabilities;
pub mod cgroup;
pub mod detach;
pub mod devices;
pub(crate) mod fd;
pub mod filesystem;
pub mod kill_point;
pub mod layers;
pub mod limits;
pub mod listener;
pub mod memfd;
pub mod mount;
pub mod network;
pub mod nodes;
pub mod peer;
pub mod pidfd;
pub mod process;
pub mod program;
pub mod reap;
pub mod replace;
pub mod seccomp;
pub mod signals;
pub mod traffic;
pub mod tree;
pub mod wait;
