//! From the engine's errors to those of the interface.

use super::generated::podman::VarlinkCallError;
use crate::engine::{EngineError, with_causes};

/// Answers a call with an error.
pub(crate) fn reply(call: &mut dyn VarlinkCallError, error: EngineError) -> varlink::Result<()> {
    match error {
        EngineError::ContainerNotFound { name } => call.reply_container_not_found(name),
        EngineError::ImageNotFound { name } => call.reply_image_not_found(name),
        EngineError::Runtime(reason) => call.reply_runtime_error(reason),
        EngineError::Refused(_) | EngineError::Failed { .. } | EngineError::Cancelled(_) => {
            call.reply_error_occurred(with_causes(&error))
        }
    }
}

/// Answers a call of a method that a later version will carry out.
pub(crate) fn unavailable(call: &mut dyn VarlinkCallError) -> varlink::Result<()> {
    let method = call.get_request().map(|request| request.method.to_string());
    let method = method
        .as_deref()
        .and_then(|full| full.rsplit('.').next())
        .unwrap_or("this");
    let reason = format!("{method} is not available in this version");
    call.reply_error_occurred(reason)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_reason_tells_the_causes() {
        let source = io::Error::other("no space left");
        let error = EngineError::Failed {
            context: "writing the record".to_owned(),
            source: source.into(),
        };
        assert_eq!(with_causes(&error), "writing the record: no space left");
    }
}
