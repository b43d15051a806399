//! org.varlink.service: who this is, and what it offers.

use std::sync::LazyLock;

use serde_json::Value;
use varlink::{CallTrait, ServiceInfo};

use super::{
    call::{Call, Methods, reply},
    definition::Definition,
    dispatch::Exported,
};

/// What every varlink service offers.
static SERVICE: LazyLock<Definition> =
    LazyLock::new(|| embedded(include_str!("org.varlink.service.varlink")));
/// The interface that this program exists for.
static PODMAN: LazyLock<Definition> = LazyLock::new(|| {
    embedded(include_str!(
        "../../../fixtures/io.projectatomic.podman.varlink"
    ))
});

/// The definition of io.projectatomic.podman.
pub(crate) fn podman() -> &'static Definition {
    &PODMAN
}

/// org.varlink.service, ready to be called.
pub(crate) fn export() -> Exported {
    Exported {
        definition: &SERVICE,
        interface: Box::new(Service),
    }
}

/// The build script has parsed the same texts, so this cannot fail in a program that was built.
#[allow(clippy::panic)]
fn embedded(text: &'static str) -> Definition {
    Definition::parse(text).unwrap_or_else(|error| panic!("an embedded definition: {error}"))
}

struct Service;

/// By hand: the generator's code for this interface does not compile, since the varlink crate has its errors too.
impl Methods for Service {
    fn call(&self, call: &mut Call<'_>) -> varlink::Result<()> {
        match call.request.map(|request| request.method.as_ref()) {
            Some("org.varlink.service.GetInfo") => reply(call, &info()),
            _ => describe(call),
        }
    }
}

fn info() -> ServiceInfo {
    ServiceInfo {
        vendor: "podman-reference".into(),
        product: "podman-reference".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        // It has no page of its own; this one explains the protocol.
        url: "https://varlink.org".into(),
        interfaces: vec![SERVICE.name().into(), PODMAN.name().into()],
    }
}

fn describe(call: &mut Call<'_>) -> varlink::Result<()> {
    let parameters = call.request.and_then(|request| request.parameters.as_ref());
    let Some(name) = parameters
        .and_then(|all| all.get("interface"))
        .and_then(Value::as_str)
    else {
        return call.reply_invalid_parameter("interface".to_owned());
    };
    match [&SERVICE, &PODMAN]
        .into_iter()
        .find(|definition| definition.name() == name)
    {
        Some(definition) => reply(call, &serde_json::json!({"description": definition.text()})),
        None => call.reply_interface_not_found(name),
    }
}
