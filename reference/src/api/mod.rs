//! Serves the interface: socket, frames, dispatch, and one file per group of methods.
