//! A scenario file: its syntax tree, its parser and its matchers.

pub mod ast;
pub mod matcher;
pub mod template;
