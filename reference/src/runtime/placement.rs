//! What process 1 does with a container's volumes once they are mounted, since the runtime library does not: says what later mounts
//! have to do with them, and makes the working directory, which may be in one.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, lchown},
    path::{Component, Path, PathBuf},
};

use nix::unistd::{chdir, getcwd};
use oci_spec::runtime::Spec;
use rustix::mount::{MountPropagationFlags, mount_change};
use serde::{Deserialize, Serialize};

use crate::settings::{Mounts, Propagation};

/// Its name in the bundle.
const FILE: &str = "placement.json";

/// The working directory, if it may be in a volume, and the propagation of each volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placement {
    working_directory: Option<PathBuf>,
    propagation: Vec<(PathBuf, Propagation)>,
}

impl Placement {
    /// Takes the working directory out of a configuration with volumes: the library would not find it.
    pub(super) fn take_from(spec: &mut Spec, mounts: &Mounts) -> Self {
        let mut placement = Self::default();
        let volumes = mounts.volumes.iter();
        placement.propagation = volumes
            .map(|volume| (volume.destination.clone(), volume.propagation))
            .collect();
        if let Some(process) = spec.process_mut().as_mut().filter(|_| !mounts.is_empty()) {
            placement.working_directory = Some(process.cwd().clone());
            process.set_cwd("/".into());
        }
        placement
    }

    pub(super) fn write(&self, bundle: &Path) -> io::Result<()> {
        fs::write(bundle.join(FILE), serde_json::to_vec(self)?)
    }

    pub(super) fn read(bundle: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(bundle.join(FILE))?)?)
    }

    /// In the container, before it goes to a user namespace.
    ///
    /// # Errors
    /// The cause, with the field's name.
    pub(super) fn propagate(&self) -> Result<(), String> {
        let mut all = self.propagation.iter();
        all.try_for_each(|(path, propagation)| {
            propagate(path, *propagation)
                .map_err(|error| format!("volumes: {}: {error}", path.display()))
        })
    }

    /// In the container and its user namespace, whose root owns what is made, with every capability still there.
    ///
    /// # Errors
    /// The cause, with the field's name.
    pub(super) fn go_to_work(&self) -> Result<(), String> {
        match &self.working_directory {
            Some(path) => {
                go_to(path).map_err(|error| format!("work_dir: {}: {error}", path.display()))
            }
            None => Ok(()),
        }
    }
}

fn propagate(path: &Path, propagation: Propagation) -> io::Result<()> {
    let kind = match propagation {
        Propagation::Private => MountPropagationFlags::PRIVATE,
        // As the runtime library leaves it.
        Propagation::Slave => return Ok(()),
        Propagation::Unbindable => MountPropagationFlags::UNBINDABLE,
    };
    Ok(mount_change(path, kind | MountPropagationFlags::REC)?)
}

fn go_to(path: &Path) -> io::Result<()> {
    make(path)?;
    chdir(path)?;
    // A descriptor that was left open must not lead out of the container.
    if getcwd()?.is_absolute() {
        Ok(())
    } else {
        Err(io::Error::other("it is outside of the container"))
    }
}

/// Makes what is missing, with root as its owner.
fn make(path: &Path) -> io::Result<()> {
    let mut here = PathBuf::from("/");
    for component in path.components() {
        let Component::Normal(name) = component else {
            continue;
        };
        here.push(name);
        if here.is_dir() {
            continue;
        }
        fs::DirBuilder::new().mode(0o755).create(&here)?;
        lchown(&here, Some(0), Some(0))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Tmpfs;

    #[test]
    fn the_working_directory_is_the_librarys_unless_something_is_mounted() {
        let mut spec = Spec::default();
        spec.process_mut().as_mut().unwrap().set_cwd("/w".into());
        let none = Placement::take_from(&mut spec, &Mounts::default());
        assert_eq!(none, Placement::default());
        assert_eq!(spec.process().as_ref().unwrap().cwd(), Path::new("/w"));
        let mounts = Mounts {
            tmpfs: vec![Tmpfs {
                destination: "/run".into(),
                options: vec![],
            }],
            ..Mounts::default()
        };
        let bundle = tempfile::tempdir().unwrap();
        let some = Placement::take_from(&mut spec, &mounts);
        some.write(bundle.path()).unwrap();
        let read = Placement::read(bundle.path()).unwrap();
        assert_eq!(read.working_directory, Some("/w".into()));
        assert_eq!(spec.process().as_ref().unwrap().cwd(), Path::new("/"));
    }
}
