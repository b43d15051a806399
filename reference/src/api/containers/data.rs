//! A container as GetContainer and ListContainers show it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{
    api::generated::podman::ContainerPortMappings,
    engine::{ContainerSummary, MountSummary, NamespaceSummary},
};

/// The reply of GetContainer.
#[derive(Serialize)]
pub(super) struct One<'s> {
    container: Data<'s>,
}

/// The reply of ListContainers.
#[derive(Serialize)]
pub(super) struct Many<'s> {
    #[serde(serialize_with = "all")]
    containers: &'s [ContainerSummary],
}

impl<'s> One<'s> {
    pub(super) fn new(container: &'s ContainerSummary) -> Self {
        let container = container.into();
        Self { container }
    }
}

impl<'s> Many<'s> {
    pub(super) fn new(containers: &'s [ContainerSummary]) -> Self {
        Self { containers }
    }
}

fn all<S: Serializer>(containers: &[ContainerSummary], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(containers.iter().map(Data::from))
}

/// `ListContainerData` by reference. The generated type owns its texts, and a long list would copy a hundred thousand of them.
#[derive(Serialize)]
struct Data<'s> {
    id: &'s str,
    image: &'s str,
    imageid: &'s str,
    command: &'s [String],
    createdat: &'s str,
    runningfor: &'s str,
    status: &'s str,
    ports: [ContainerPortMappings; 0],
    rootfssize: i64,
    rwsize: i64,
    names: &'s str,
    labels: &'s BTreeMap<String, String>,
    #[serde(serialize_with = "mounts")]
    mounts: &'s [MountSummary],
    containerrunning: bool,
    namespaces: NameSpaces<'s>,
}

impl<'s> From<&'s ContainerSummary> for Data<'s> {
    fn from(container: &'s ContainerSummary) -> Self {
        Self {
            id: &container.id,
            image: &container.image,
            imageid: &container.image_id,
            command: &container.command,
            createdat: &container.created_at,
            runningfor: &container.running_for,
            status: &container.status,
            ports: [],
            rootfssize: container.rootfs_size,
            rwsize: container.rw_size,
            names: &container.name,
            labels: &container.labels,
            mounts: &container.mounts,
            containerrunning: container.running,
            namespaces: (&container.namespaces).into(),
        }
    }
}

fn mounts<S: Serializer>(mounts: &[MountSummary], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(mounts.iter().map(Mount::from))
}

/// `ContainerMount` by reference.
#[derive(Serialize)]
struct Mount<'s> {
    destination: &'s str,
    r#type: &'s str,
    source: &'s str,
    options: &'s [String],
}

impl<'s> From<&'s MountSummary> for Mount<'s> {
    fn from(mount: &'s MountSummary) -> Self {
        Self {
            destination: &mount.destination,
            r#type: &mount.kind,
            source: &mount.source,
            options: &mount.options,
        }
    }
}

/// `ContainerNameSpace` by reference.
#[derive(Serialize)]
struct NameSpaces<'s> {
    user: &'s str,
    uts: &'s str,
    pidns: &'s str,
    pid: &'s str,
    cgroup: &'s str,
    net: &'s str,
    mnt: &'s str,
    ipc: &'s str,
}

impl<'s> From<&'s NamespaceSummary> for NameSpaces<'s> {
    fn from(namespaces: &'s NamespaceSummary) -> Self {
        Self {
            user: &namespaces.user,
            uts: &namespaces.uts,
            pidns: &namespaces.pidns,
            pid: &namespaces.pid,
            cgroup: &namespaces.cgroup,
            net: &namespaces.net,
            mnt: &namespaces.mnt,
            ipc: &namespaces.ipc,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{from_value, to_value};

    use super::*;
    use crate::api::generated::podman::{GetContainer_Reply, ListContainers_Reply};

    fn container() -> ContainerSummary {
        let text = |text: &str| text.to_owned();
        ContainerSummary {
            id: text("i"),
            command: vec![text("/c")],
            labels: [(text("l"), text("v"))].into(),
            mounts: [MountSummary {
                destination: text("/d"),
                kind: text("bind"),
                source: text("/s"),
                options: vec![text("ro")],
            }]
            .into(),
            ..ContainerSummary::default()
        }
    }

    /// As the generated type reads it and writes it again: with each of its members, and no other.
    #[track_caller]
    fn is_a<T: DeserializeOwned + Serialize>(ours: &impl Serialize) {
        let ours = to_value(ours).unwrap();
        let generated: T = from_value(ours.clone()).unwrap();
        assert_eq!(to_value(generated).unwrap(), ours);
    }

    #[test]
    fn the_replies_are_those_of_the_interface_definition() {
        is_a::<GetContainer_Reply>(&One::new(&container()));
        is_a::<ListContainers_Reply>(&Many::new(&[container(), ContainerSummary::default()]));
    }
}
