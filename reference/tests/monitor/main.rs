//! What a container's monitor promises: starts that say why they fail, exit codes, complete logs, and nothing left behind.
//!
//! Needs root and a static busybox at /bin/busybox, as the engine needs root.
#![expect(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod ends;
mod files;
mod fixture;
mod isolation;
mod logs;
mod starts;
mod streams;
mod survives;
