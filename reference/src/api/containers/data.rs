//! A container as GetContainer and ListContainers show it.

use crate::{
    api::generated::podman::{ContainerMount, ContainerNameSpace, ListContainerData},
    engine::{ContainerSummary, MountSummary, NamespaceSummary},
};

pub(super) fn encode(container: ContainerSummary) -> ListContainerData {
    ListContainerData {
        id: container.id,
        image: container.image,
        imageid: container.image_id,
        command: container.command,
        createdat: container.created_at,
        runningfor: container.running_for,
        status: container.status,
        ports: Vec::new(),
        rootfssize: container.rootfs_size,
        rwsize: container.rw_size,
        names: container.name,
        labels: container.labels.into_iter().collect(),
        mounts: container.mounts.iter().map(mount).collect(),
        containerrunning: container.running,
        namespaces: namespaces(container.namespaces),
    }
}

fn mount(mount: &MountSummary) -> ContainerMount {
    ContainerMount {
        destination: mount.destination.clone(),
        r#type: mount.kind.clone(),
        source: mount.source.clone(),
        options: mount.options.clone(),
    }
}

fn namespaces(namespaces: NamespaceSummary) -> ContainerNameSpace {
    ContainerNameSpace {
        user: namespaces.user,
        uts: namespaces.uts,
        pidns: namespaces.pidns,
        pid: namespaces.pid,
        cgroup: namespaces.cgroup,
        net: namespaces.net,
        mnt: namespaces.mnt,
        ipc: namespaces.ipc,
    }
}
