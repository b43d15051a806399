//! The log of a container: one record a line, `TIME stdout|stderr F|P TEXT`.
//!
//! TIME is RFC 3339 in UTC with nine decimals, so that every prefix is 40 bytes. `F` ends a line of output; `P` is a piece of
//! one whose rest follows in a later record of the same stream.

mod batch;
mod follow;
mod lines;
mod reader;
mod record;
mod writer;

pub use batch::Batch;
pub use follow::{Follow, Followed};
pub use reader::LogReader;
pub(super) use record::Stream;
pub(super) use writer::LogWriter;
