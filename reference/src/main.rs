//! Serves io.projectatomic.podman.

fn main() {}
