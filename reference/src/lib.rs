//! A small, honest, single-machine container engine that serves io.projectatomic.podman.
//!
//! ```text
//! client -> api -> engine -> store | registry | runtime | network | monitor -> settings -> sys
//! ```
//! Imports run only left to right; siblings do not import each other; nothing imports `api`.

pub mod api;
pub mod config;
pub mod daemon;
pub mod engine;
pub mod monitor;
pub mod runtime;
pub mod settings;
pub mod store;
pub mod sys;
