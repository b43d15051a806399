//! Create's fields: limits and cgroup_parent.

use super::refuse_given;
use crate::{engine::request::ResourcesRequest, settings::Resources};

/// What was asked for, checked; the error names the field and the value.
#[allow(clippy::too_many_lines)] // a line for each field
pub(super) fn check(request: &ResourcesRequest) -> Result<Resources, String> {
    refuse_given(&[
        ("cgroup_parent", request.cgroup_parent.is_some()),
        ("resources.blkio_weight", request.blkio_weight.is_some()),
        (
            "resources.blkio_weight_device",
            !request.blkio_weight_device.is_empty(),
        ),
        ("resources.cpu_period", request.cpu_period.is_some()),
        ("resources.cpu_quota", request.cpu_quota.is_some()),
        ("resources.cpu_rt_period", request.cpu_rt_period.is_some()),
        ("resources.cpu_rt_runtime", request.cpu_rt_runtime.is_some()),
        ("resources.cpu_shares", request.cpu_shares.is_some()),
        ("resources.cpus", request.cpus.is_some()),
        ("resources.cpuset_cpus", request.cpuset_cpus.is_some()),
        ("resources.cpuset_mems", request.cpuset_mems.is_some()),
        (
            "resources.device_read_bps",
            !request.device_read_bps.is_empty(),
        ),
        (
            "resources.device_read_iops",
            !request.device_read_iops.is_empty(),
        ),
        (
            "resources.device_write_bps",
            !request.device_write_bps.is_empty(),
        ),
        (
            "resources.device_write_iops",
            !request.device_write_iops.is_empty(),
        ),
        ("resources.disable_oomkiller", request.disable_oomkiller),
        ("resources.kernel_memory", request.kernel_memory.is_some()),
        ("resources.memory", request.memory.is_some()),
        (
            "resources.memory_reservation",
            request.memory_reservation.is_some(),
        ),
        ("resources.memory_swap", request.memory_swap.is_some()),
        (
            "resources.memory_swappiness",
            request.memory_swappiness.is_some(),
        ),
        ("resources.oom_score_adj", request.oom_score_adj.is_some()),
        ("resources.pids_limit", request.pids_limit.is_some()),
        ("resources.shm_size", request.shm_size.is_some()),
        ("resources.ulimit", !request.ulimit.is_empty()),
    ])?;
    Ok(Resources {})
}
