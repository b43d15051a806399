//! A scenario file: its syntax tree, its parser and its matchers.

mod assignment;
pub mod ast;
pub mod captures;
mod compare;
mod excerpt;
mod form;
mod golden;
mod insertion;
mod json;
mod matcher;
mod meet;
pub mod mismatch;
pub mod mistake;
pub mod parse;
pub mod pattern;
mod show;
pub mod suite;
pub mod template;

pub use mismatch::Mismatch;
