//! Create's fields: terminal, standard input and log.

use super::refuse_given;
use crate::{engine::request::StdioRequest, settings::Stdio};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &StdioRequest) -> Result<Stdio, String> {
    refuse_given(&[
        ("tty", request.tty),
        ("interactive", request.interactive),
        ("log_driver", request.log_driver.is_some()),
        ("log_driver_opt", !request.log_driver_opt.is_empty()),
    ])?;
    Ok(Stdio {})
}
