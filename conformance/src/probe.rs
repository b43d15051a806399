//! The static program that scenarios run inside containers.

/// The program, ready to be put into an image.
pub const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe"));
