//! SPEC.md: its requirements, and which scenario holds each.
