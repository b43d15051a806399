//! The structures inside Create: resources and id mappings. None of their fields is honoured yet.

use super::create::names_of_given;
use crate::api::generated::podman::{CreateResourceConfig, IDMap, IDMappingOptions};

/// The fields that are given.
pub(super) fn unsupported(resources: CreateResourceConfig) -> impl Iterator<Item = &'static str> {
    names_of_given!(
        CreateResourceConfig {
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
        } = resources
    )
}

/// `id_mappings`, if any of it is given.
pub(super) fn unsupported_mappings(mappings: IDMappingOptions) -> Option<&'static str> {
    let IDMappingOptions {
        host_uid_mapping,
        host_gid_mapping,
        uid_map,
        gid_map,
    } = mappings;
    let flags = names_of_given!(host_uid_mapping, host_gid_mapping).count();
    let maps = [uid_map, gid_map]
        .into_iter()
        .flatten()
        .filter(is_given)
        .count();
    (flags + maps > 0).then_some("id_mappings")
}

fn is_given(map: &IDMap) -> bool {
    let IDMap {
        container_id,
        host_id,
        size,
    } = map;
    [container_id, host_id, size]
        .into_iter()
        .flatten()
        .any(|number| *number != 0)
}
