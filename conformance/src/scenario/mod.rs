//! A scenario file: its syntax tree, its parser and its matchers.

pub mod ast;
pub mod captures;
pub mod mistake;
pub mod parse;
pub mod pattern;
pub mod suite;
pub mod template;
