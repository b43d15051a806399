//! Reads a scenario file.

use std::{path::Path, sync::Arc};

use super::{
    ast::{Scenario, SourceFile},
    mistake::Mistake,
};

/// Where `@include` finds its files.
pub trait Fragments {
    /// The fragment at this path: that of the including file, with the written path applied and
    /// `.` and `..` resolved.
    ///
    /// # Errors
    /// Why it cannot be had, as a fragment of a sentence.
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String>;
}

/// Reads a scenario, fragments put in.
///
/// # Errors
/// Every mistake that was found, at least one.
pub fn parse_scenario(
    file: &Arc<SourceFile>,
    _fragments: &dyn Fragments,
) -> Result<Scenario, Vec<Mistake>> {
    Err(vec![Mistake::new(
        file,
        0..0,
        "scenarios cannot be read yet",
    )])
}
