//! A scenario file: its syntax tree, its parser and its matchers.

mod assignment;
pub mod ast;
mod call;
pub mod captures;
mod case_table;
mod compare;
mod definition;
mod directive;
mod duration;
mod excerpt;
mod exchange;
mod expectation;
mod flow;
mod form;
mod front_matter;
mod golden;
mod held;
mod holding;
mod include;
mod insertion;
mod json;
mod matcher;
mod meet;
pub mod mismatch;
pub mod mistake;
pub mod parse;
pub mod pattern;
mod raw;
mod relation;
mod show;
pub mod suite;
pub mod template;
mod transcript;

pub use mismatch::Mismatch;
