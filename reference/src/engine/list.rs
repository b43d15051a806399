//! ListContainers and GetContainer.

use std::path::Path;

use super::{
    ContainerSummary, MountSummary,
    clock::Time,
    container::{Container, Usage},
    sync::lock,
};
use crate::{runtime, sys::tree};

/// Whether a running container's size is measured anew: that walks all that it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// For one container.
    Measured,
    /// For lists: the size of a running container is the one that was measured last.
    Known,
}

pub(super) fn summary(container: &Container, freshness: Freshness) -> ContainerSummary {
    let record = &container.record;
    let (status, running) = {
        let state = container.state();
        (state.status(), state.running().cloned())
    };
    let rw_size = written(container, running.is_some(), freshness);
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let since = running
        .as_ref()
        .map(|run| Time::from(run.init.started_at).ago());
    ContainerSummary {
        id: container.id(),
        image: record.image.clone(),
        image_id: record.image_id.to_string(),
        command: record.process.arguments.clone(),
        created_at: container.created().to_string(),
        running_for: since.unwrap_or_default(),
        status: status.to_owned(),
        rootfs_size: size(record.image_size.saturating_add(rw_size)),
        rw_size: size(rw_size),
        name: record.name.clone(),
        labels: record.labels.clone(),
        mounts: mounts(container),
        running: running.is_some(),
        namespaces: running.map(|run| run.namespaces).unwrap_or_default(),
    }
}

/// The mounts of a container, as its OCI configuration has them.
fn mounts(container: &Container) -> Vec<MountSummary> {
    let known = runtime::mounts(&container.id(), container.dir.run());
    let known = known.inspect_err(|error| {
        tracing::warn!(container = container.id(), %error, "cannot tell its mounts");
    });
    let text = |path: Option<&Path>| path.unwrap_or(Path::new("")).display().to_string();
    let told = known
        .unwrap_or_default()
        .into_iter()
        .map(|mount| MountSummary {
            destination: text(Some(mount.destination())),
            kind: mount.typ().clone().unwrap_or_default(),
            source: text(mount.source().as_deref()),
            options: mount.options().clone().unwrap_or_default(),
        });
    told.collect()
}

/// The bytes that a container wrote. After a run they are measured once.
fn written(container: &Container, running: bool, freshness: Freshness) -> u64 {
    let known = *lock(&container.usage);
    let measured = match freshness {
        Freshness::Measured => known.stale || running,
        Freshness::Known => known.stale && !running,
    };
    if !measured {
        return known.bytes;
    }
    match tree::measure(&container.upper) {
        Ok(bytes) => {
            // Only if it is not running now can it not have written more since.
            let stale = running;
            *lock(&container.usage) = Usage { bytes, stale };
            bytes
        }
        Err(error) => {
            tracing::warn!(container = container.id(), %error, "cannot measure what it wrote");
            known.bytes
        }
    }
}
