//! SPEC.md: its requirements, and which scenario holds each.

mod coverage;
mod document;
mod requirement;

pub use coverage::{Coverage, Covered, EVERY_REPLY};
pub use document::{Document, SpecError};
pub use requirement::{Requirement, Source};

use std::sync::LazyLock;

/// The normative text that ships with this program.
pub const TEXT: &str = include_str!("../../../SPEC.md");

/// The sentence of a requirement of the shipped specification, by its id.
pub fn sentence(id: &str) -> Option<String> {
    static SHIPPED: LazyLock<Option<Document>> = LazyLock::new(|| Document::shipped().ok());
    let document = SHIPPED.as_ref()?;
    document.get(id).map(|requirement| requirement.text.clone())
}
