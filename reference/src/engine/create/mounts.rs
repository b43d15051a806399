//! Create's fields: volumes and tmpfs.

use super::refuse_given;
use crate::{engine::request::MountsRequest, settings::Mounts};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &MountsRequest) -> Result<Mounts, String> {
    refuse_given(&[
        ("volumes", !request.volumes.is_empty()),
        ("tmpfs", !request.tmpfs.is_empty()),
        ("image_volume_type", request.image_volume_type.is_some()),
        ("builtin_imgvolumes", !request.builtin_imgvolumes.is_empty()),
        ("shm_dir", request.shm_dir.is_some()),
    ])?;
    Ok(Mounts {})
}
