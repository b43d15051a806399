//! The interface definition, and the check of every reply against it.

mod check;
mod collection;
mod difference;
mod interface;

pub use check::{Departure, Kind};
pub use collection::Definitions;
pub use difference::Departures;
pub use interface::{DefinitionError, Field, Interface, Method, Type};
