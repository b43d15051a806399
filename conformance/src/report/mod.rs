//! What people and machines read of a run: each report consumes the one stream of events.

use std::io;

use crate::event::Event;

mod failure;
mod html;
mod json;
mod terminal;

pub use html::Html;
pub use json::Json;
pub use terminal::{Style, Terminal};

/// A report.
pub trait Consumer: Send {
    /// Takes the next event.
    ///
    /// # Errors
    /// The report cannot be written: a full disk, a closed pipe. The run's verdict is not lost by it; the caller says so
    /// and ends with the exit code for harness errors.
    fn event(&mut self, event: &Event) -> io::Result<()>;
}

/// A requirement's sentence by its id, for failures; `None` where no such requirement is known (a user's own suite).
pub type Sentences = fn(&str) -> Option<String>;
