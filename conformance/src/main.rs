//! Judges a varlink endpoint.

fn main() {}
