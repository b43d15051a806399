//! SPEC.md: its requirements, and which scenario holds each.

mod coverage;
mod document;
mod requirement;

pub use coverage::{Coverage, Covered, EVERY_REPLY};
pub use document::{Document, SpecError};
pub use requirement::{Requirement, Source, level_name};

/// The normative text that ships with this program.
pub const TEXT: &str = include_str!("../../../SPEC.md");
