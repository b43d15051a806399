//! ListContainers and GetContainer.

use std::{path::Path, sync::Arc};

use oci_spec::runtime::Mount;

use super::{
    ContainerSummary, MountSummary,
    clock::Time,
    container::{Container, Usage},
    state::{Ended, Phase, Running},
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

/// How a container stands, at one moment.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) status: &'static str,
    pub(super) running: Option<Running>,
    pub(super) last: Option<Ended>,
}

impl Standing {
    pub(super) fn of(container: &Container) -> Self {
        let state = container.state();
        Self {
            status: state.status(),
            running: state.running().cloned(),
            last: state.last,
        }
    }
}

pub(super) fn summary(container: &Container, freshness: Freshness) -> ContainerSummary {
    summary_of(container, Standing::of(container), freshness)
}

/// Of a container that stands so.
pub(super) fn summary_of(
    container: &Container,
    standing: Standing,
    freshness: Freshness,
) -> ContainerSummary {
    let record = &container.record;
    let Standing {
        status, running, ..
    } = standing;
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
        running: status == "running",
        namespaces: running.map(|run| run.namespaces).unwrap_or_default(),
    }
}

/// The mounts of a container, as its OCI configuration has them. They never change, and a list has thousands of them, so they
/// are put together once.
pub(super) fn mounts(container: &Container) -> Arc<[MountSummary]> {
    if let Some(known) = container.mounts.get() {
        return Arc::clone(known);
    }
    match runtime::mounts(
        &container.id(),
        container.dir.run(),
        &container.volumes,
        &container.record.settings,
    ) {
        Ok(mounts) => {
            let told = mounts.iter().map(told).collect();
            Arc::clone(container.mounts.get_or_init(|| told))
        }
        Err(error) => {
            tracing::warn!(container = container.id(), %error, "cannot tell its mounts");
            Arc::default()
        }
    }
}

fn told(mount: &Mount) -> MountSummary {
    let text = |path: &Path| path.display().to_string();
    MountSummary {
        destination: text(mount.destination()),
        kind: mount.typ().clone().unwrap_or_default(),
        source: mount.source().as_deref().map(text).unwrap_or_default(),
        options: mount.options().clone().unwrap_or_default(),
    }
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
            // The files of a container that is being removed are taken away before it leaves the lists.
            if !matches!(container.state().phase, Phase::Removing | Phase::Removed) {
                tracing::warn!(container = container.id(), %error, "cannot measure what it wrote");
            }
            known.bytes
        }
    }
}
