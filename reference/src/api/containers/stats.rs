//! GetContainerStats.

use crate::api::{
    errors,
    generated::podman::{Call_GetContainerStats, ContainerStats},
    interface::Session,
};

pub(crate) fn get(
    session: &Session,
    call: &mut dyn Call_GetContainerStats,
    name: Option<String>,
) -> varlink::Result<()> {
    match session.engine.container_stats(&name.unwrap_or_default()) {
        Ok(stats) => call.reply(ContainerStats {
            id: stats.id,
            name: stats.name,
            cpu: stats.cpu,
            cpu_nano: stats.cpu_nano,
            system_nano: stats.system_nano,
            mem_usage: stats.memory,
            mem_limit: stats.memory_limit,
            mem_perc: stats.memory_share,
            net_input: stats.received,
            net_output: stats.sent,
            block_output: stats.block_written,
            block_input: stats.block_read,
            pids: stats.pids,
        }),
        Err(error) => errors::reply(call, error),
    }
}
