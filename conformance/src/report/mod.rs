//! What people and machines read of a run: each report consumes the one stream of events.

pub use crate::event::Consumer;

mod collected;
mod failure;
mod html;
mod json;
mod terminal;
mod verdict;

pub use html::Html;
pub use json::Json;
pub use terminal::{Style, Terminal};

/// A requirement's sentence by its id, for failures; `None` where no such requirement is known (a user's own suite).
pub type Sentences = fn(&str) -> Option<String>;
