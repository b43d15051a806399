//! Golden bodies: patterns with matchers and captures, and how a value meets them.

/// A golden body.
#[derive(Debug, Clone)]
pub struct Pattern {}
