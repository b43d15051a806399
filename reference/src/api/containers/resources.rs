//! The structures inside Create: resources and id mappings.

use super::create::given;
use crate::{
    api::generated::podman::{CreateResourceConfig, IDMap, IDMappingOptions},
    engine::request::{IdMapRequest, IdMappingsRequest, ResourcesRequest},
};

/// Without `..`, so that a new field does not compile until somebody has decided about it.
#[allow(clippy::too_many_lines)]
pub(super) fn decode(resources: CreateResourceConfig) -> ResourcesRequest {
    let CreateResourceConfig {
        blkio_weight,
        blkio_weight_device,
        cpu_period,
        cpu_quota,
        cpu_rt_period,
        cpu_rt_runtime,
        cpu_shares,
        cpus,
        cpuset_cpus,
        cpuset_mems,
        device_read_bps,
        device_read_iops,
        device_write_bps,
        device_write_iops,
        disable_oomkiller,
        kernel_memory,
        memory,
        memory_reservation,
        memory_swap,
        memory_swappiness,
        oom_score_adj,
        pids_limit,
        shm_size,
        ulimit,
    } = resources;
    ResourcesRequest {
        cgroup_parent: None,
        blkio_weight: given(blkio_weight),
        blkio_weight_device: blkio_weight_device.unwrap_or_default(),
        cpu_period: given(cpu_period),
        cpu_quota: given(cpu_quota),
        cpu_rt_period: given(cpu_rt_period),
        cpu_rt_runtime: given(cpu_rt_runtime),
        cpu_shares: given(cpu_shares),
        cpus: given(cpus),
        cpuset_cpus: given(cpuset_cpus),
        cpuset_mems: given(cpuset_mems),
        device_read_bps: device_read_bps.unwrap_or_default(),
        device_read_iops: device_read_iops.unwrap_or_default(),
        device_write_bps: device_write_bps.unwrap_or_default(),
        device_write_iops: device_write_iops.unwrap_or_default(),
        disable_oomkiller: disable_oomkiller.unwrap_or_default(),
        kernel_memory: given(kernel_memory),
        memory: given(memory),
        memory_reservation: given(memory_reservation),
        memory_swap: given(memory_swap),
        memory_swappiness: given(memory_swappiness),
        oom_score_adj: given(oom_score_adj),
        pids_limit: given(pids_limit),
        shm_size: given(shm_size),
        ulimit: ulimit.unwrap_or_default(),
    }
}

pub(super) fn decode_mappings(mappings: IDMappingOptions) -> IdMappingsRequest {
    let IDMappingOptions {
        host_uid_mapping,
        host_gid_mapping,
        uid_map,
        gid_map,
    } = mappings;
    IdMappingsRequest {
        host_uid_mapping: host_uid_mapping.unwrap_or_default(),
        host_gid_mapping: host_gid_mapping.unwrap_or_default(),
        uid_map: uid_map.as_ref().and_then(decode_map),
        gid_map: gid_map.as_ref().and_then(decode_map),
    }
}

/// A range of nothing but zeros is not given.
fn decode_map(map: &IDMap) -> Option<IdMapRequest> {
    let IDMap {
        container_id,
        host_id,
        size,
    } = map;
    let map = IdMapRequest {
        container_id: container_id.unwrap_or_default(),
        host_id: host_id.unwrap_or_default(),
        size: size.unwrap_or_default(),
    };
    (map != IdMapRequest::default()).then_some(map)
}
