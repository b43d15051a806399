//! Types, traits and dispatch that the build script generates from the interface definition.

use super::call::{Call, Methods};

#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    dead_code,
    unused_imports,
    non_camel_case_types,
    non_snake_case,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
pub(crate) mod podman {
    use serde as serde_derive;
    include!(concat!(env!("OUT_DIR"), "/podman.rs"));
}

impl Methods for podman::VarlinkInterfaceProxy {
    fn call(&self, call: &mut Call<'_>) -> varlink::Result<()> {
        self.call(call)
    }
}
