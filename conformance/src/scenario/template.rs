//! Text to send, with insertions.

/// Text with `{{…}}` insertions.
#[derive(Debug, Clone)]
pub struct Template {}
