//! Which namespaces a container has of its own, and its ids.

use serde::{Deserialize, Serialize};

use crate::sys::{ownership::Owner, user_namespace::Maps};

/// Which namespaces a container has of its own, and its ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// Message queues and shared memory, `/dev/shm` among it.
    pub ipc: Namespace,
    /// The processes that it sees.
    pub pid: Namespace,
    /// The host name; never another container's.
    pub uts: Namespace,
    /// Its ids, where they are not the host's: then it has a user namespace of its own.
    pub ids: Option<IdMappings>,
}

/// Whose a namespace is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// The container's own.
    #[default]
    Private,
    /// The host's.
    Host,
    /// That of the container with this id.
    Container(String),
}

impl Namespace {
    /// The id of the container whose namespace it is, if it is another's.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Container(id) => Some(id),
            Self::Private | Self::Host => None,
        }
    }
}

/// The ids of a user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMappings {
    /// Of users; at least one range.
    pub users: Vec<IdRange>,
    /// Of groups; at least one range.
    pub groups: Vec<IdRange>,
}

/// Ids that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// The first one inside.
    pub container: u32,
    /// The first one on the host.
    pub host: u32,
    /// How many; at least one.
    pub size: u32,
}

impl IdMappings {
    /// What the host calls a user of the container; `None` if it is in no range.
    #[must_use]
    pub fn host_user(&self, id: u32) -> Option<u32> {
        on_host(&self.users, id)
    }

    /// What the host calls a group of the container; `None` if it is in no range.
    #[must_use]
    pub fn host_group(&self, id: u32) -> Option<u32> {
        on_host(&self.groups, id)
    }

    /// Who a user and a group of the container are on the host. For one that is in no range, root stands.
    #[must_use]
    pub fn owner_of(&self, uid: u32, gid: u32) -> Owner {
        let root = self.owner();
        Owner {
            uid: self.host_user(uid).unwrap_or(root.uid),
            gid: self.host_group(gid).unwrap_or(root.gid),
        }
    }

    /// To whom the files of root belong, and those that the engine makes in the container. Where it has no root, that is somebody
    /// on the host whom it does not have either.
    #[must_use]
    pub fn owner(&self) -> Owner {
        let root = |ranges: &[IdRange]| on_host(&with_root(ranges), 0).unwrap_or_default();
        Owner {
            uid: root(&self.users),
            gid: root(&self.groups),
        }
    }

    /// The ids of the user namespace.
    #[must_use]
    pub fn maps(&self) -> Maps {
        Maps {
            users: lines(&self.users),
            groups: lines(&self.groups),
        }
    }

    /// The ids of files: root, who makes directories of layers, is always among them.
    #[must_use]
    pub fn maps_of_files(&self) -> Maps {
        Maps {
            users: lines(&with_root(&self.users)),
            groups: lines(&with_root(&self.groups)),
        }
    }
}

/// As the kernel takes them.
fn lines(ranges: &[IdRange]) -> String {
    let line = |range: &IdRange| {
        let IdRange {
            container,
            host,
            size,
        } = range;
        format!("{container} {host} {size}\n")
    };
    ranges.iter().map(line).collect()
}

fn with_root(ranges: &[IdRange]) -> Vec<IdRange> {
    let mut all = ranges.to_vec();
    if on_host(ranges, 0).is_none() {
        let is_free = |id: &u32| {
            let mut others = ranges.iter();
            others.all(|range| id.checked_sub(range.host).is_none_or(|at| at >= range.size))
        };
        let ends = ranges
            .iter()
            .map(|range| range.host.saturating_add(range.size));
        let spare = std::iter::once(0).chain(ends).find(is_free);
        all.extend(spare.map(|host| IdRange {
            container: 0,
            host,
            size: 1,
        }));
    }
    all
}

fn on_host(ranges: &[IdRange], id: u32) -> Option<u32> {
    ranges.iter().find_map(|range| {
        let offset = id.checked_sub(range.container)?;
        (offset < range.size).then(|| range.host.checked_add(offset))?
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn mappings() -> IdMappings {
        let range = |container, host, size| IdRange {
            container,
            host,
            size,
        };
        IdMappings {
            users: vec![range(10, 5000, 2), range(0, 100_000, 3)],
            groups: vec![range(7, 9, 1)],
        }
    }

    #[rstest]
    #[case(0, Some(100_000))]
    #[case(2, Some(100_002))]
    #[case(3, None)]
    #[case(9, None)]
    #[case(11, Some(5001))]
    #[case(12, None)]
    #[case(u32::MAX, None)]
    fn a_user_is_another_one_on_the_host(#[case] inside: u32, #[case] outside: Option<u32>) {
        assert_eq!(mappings().host_user(inside), outside);
    }

    #[test]
    fn files_of_root_belong_to_root_or_to_whom_nobody_is() {
        let owner = mappings().owner();
        assert_eq!((owner.uid, owner.gid), (100_000, 0));
        let files = mappings().maps_of_files();
        assert_eq!(files.users, mappings().maps().users);
        assert_eq!(files.groups, "7 9 1\n0 0 1\n");
        let range = |container, host, size| IdRange {
            container,
            host,
            size,
        };
        let taken = IdMappings {
            groups: vec![range(7, 0, 2), range(20, 2, 5)],
            ..mappings()
        };
        assert_eq!(taken.owner().gid, 7);
    }

    #[test]
    fn the_kernel_gets_a_line_for_each_range() {
        let maps = mappings().maps();
        assert_eq!(maps.users, "10 5000 2\n0 100000 3\n");
        assert_eq!(maps.groups, "7 9 1\n");
    }
}
