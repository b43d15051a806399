//! Create's fields: what happens at start and end.

use super::refuse_given;
use crate::{engine::request::LifecycleRequest, settings::Lifecycle};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &LifecycleRequest) -> Result<Lifecycle, String> {
    refuse_given(&[
        ("rm", request.rm),
        ("conmon_pidfile", request.conmon_pidfile.is_some()),
    ])?;
    Ok(Lifecycle {})
}
