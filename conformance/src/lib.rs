//! Drives any varlink endpoint through golden-file scenarios and says where it departs from the specification.
//!
//! ```text
//! file -> scenario/parse (spans kept) -> runner (schedule, endpoint, capture, cleanup) -> idl check + golden match -> report
//! ```

pub mod cli;
pub mod endpoint;
pub mod event;
pub mod idl;
pub mod probe;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod spec;
