//! The kernel: mounts, pidfds, processes, cgroups, peers. The only place with `unsafe`.
