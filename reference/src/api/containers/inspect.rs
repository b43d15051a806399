//! InspectContainer: the document as a text.

use crate::{
    api::{errors, generated::podman::Call_InspectContainer, interface::Session},
    engine::EngineError,
};

/// The document is one string, so that its form is free of the interface definition.
pub(crate) fn inspect(
    session: &Session,
    call: &mut dyn Call_InspectContainer,
    name: Option<String>,
) -> varlink::Result<()> {
    let inspected = session
        .engine
        .inspect_container(&name.unwrap_or_default())
        .and_then(|document| {
            serde_json::to_string(&document).map_err(|source| EngineError::Failed {
                context: "cannot write the document".into(),
                source: source.into(),
            })
        });
    match inspected {
        Ok(document) => call.reply(document),
        Err(error) => errors::reply(call, error),
    }
}
