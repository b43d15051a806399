//! Finds the files that `@include` names, and ends circles.

use std::{
    cell::Cell,
    ops::Range,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use super::{ast::SourceFile, mistake::Mistake};

/// How deep fragments include others.
const DEPTH: usize = 16;
/// How many includes make one scenario.
const COUNT: usize = 256;

/// Where `@include` finds its files.
pub trait Fragments {
    /// The fragment at this path: that of the including file, with the written path applied and
    /// `.` and `..` resolved.
    ///
    /// # Errors
    /// Why it cannot be had, as a fragment of a sentence.
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String>;
}

/// The files being read, each included by the one before it.
#[derive(Clone, Copy)]
pub(crate) struct Includes<'a> {
    fragments: &'a dyn Fragments,
    file: &'a Arc<SourceFile>,
    above: Option<&'a Includes<'a>>,
    depth: usize,
    count: &'a Cell<usize>,
}

impl<'a> Includes<'a> {
    pub(crate) fn new(
        fragments: &'a dyn Fragments,
        file: &'a Arc<SourceFile>,
        count: &'a Cell<usize>,
    ) -> Self {
        Self {
            fragments,
            file,
            above: None,
            depth: 0,
            count,
        }
    }

    /// The same, one file deeper.
    pub(crate) fn below(&'a self, file: &'a Arc<SourceFile>) -> Self {
        Self {
            file,
            above: Some(self),
            depth: self.depth + 1,
            ..*self
        }
    }

    /// Opens the fragment that a directive names.
    ///
    /// # Errors
    /// It cannot be had, includes itself, or there are too many.
    pub(crate) fn open(
        &self,
        written: &str,
        span: Range<usize>,
    ) -> Result<Arc<SourceFile>, Mistake> {
        let mistake = |message: String| Mistake::new(self.file, span.clone(), message);
        self.count.set(self.count.get() + 1);
        if self.depth == DEPTH || self.count.get() > COUNT {
            let limits = format!("expected at most {COUNT} includes, {DEPTH} deep");
            return Err(mistake("too many includes".to_owned()).expected(limits));
        }
        let folder = self.file.path.parent().unwrap_or(Path::new(""));
        let Some(path) = resolved(&folder.join(written)) else {
            return Err(mistake(format!("{written:?} is outside of the suite")));
        };
        if self.reads(&path) {
            return Err(mistake(format!("{written:?} includes itself"))
                .expected("expected a fragment that is not being read already"));
        }
        let opened = self.fragments.open(&path);
        opened.map_err(|why| {
            mistake(format!("cannot include {written:?}: {why}"))
                .expected(format!("looked for {}", path.display()))
        })
    }

    fn reads(&self, path: &Path) -> bool {
        self.file.path == path || self.above.is_some_and(|above| above.reads(path))
    }
}

/// A path without `.` and `..`; `None` if it leaves its root.
fn resolved(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            Component::ParentDir => return None,
            other => clean.push(other),
        }
    }
    Some(clean)
}
