//! What process 1 takes on itself last before the container's program: a user namespace and its user there, where it has one of its
//! own, the seccomp filter, and no more capabilities than it may keep.
//!
//! The runtime library could do both. But it compiles the seccomp profile anew in every container, which takes longer than all
//! the rest of a start, and whoever loads a filter needs a capability that containers do not have. So the daemon takes both out of
//! the configuration that the library sees, and the executor does them, in the library's order.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use libcontainer::{capabilities, syscall::syscall::create_syscall};
use oci_spec::runtime::{LinuxCapabilities, Spec, User as Root};
use serde::{Deserialize, Serialize};

use super::{
    User,
    filter::{Uncompiled, compiled},
};
use crate::sys::{
    seccomp::Filter,
    user_namespace::{self, Identity},
};

/// Its name in the bundle.
const FILE: &str = "confinement.json";

/// The filter and the capabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Confinement {
    /// Who it is in the user namespace.
    user: Option<User>,
    filter: Option<Filter>,
    capabilities: LinuxCapabilities,
}

impl Confinement {
    /// Takes them out of a configuration; the user, too, if that is one of a user namespace. One that says nothing of
    /// capabilities means none.
    pub(super) fn take_from(spec: &mut Spec, user: Option<&User>) -> Result<Self, Uncompiled> {
        let mut capabilities = None;
        if let Some(process) = spec.process_mut() {
            capabilities = process.capabilities().clone();
            process.set_capabilities(None);
            if user.is_some() {
                process.set_user(Root::default());
            }
        }
        let mut profile = None;
        if let Some(linux) = spec.linux_mut() {
            profile = linux.seccomp().clone();
            linux.set_seccomp(None);
        }
        Ok(Self {
            user: user.cloned(),
            filter: profile.as_ref().map(compiled).transpose()?,
            capabilities: capabilities.unwrap_or_else(none),
        })
    }

    /// The user of a user namespace.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    pub(super) fn write(&self, bundle: &Path) -> io::Result<()> {
        fs::write(bundle.join(FILE), serde_json::to_vec(self)?)
    }

    /// A bundle without one is an error, and no container comes of it.
    pub(super) fn read(bundle: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(bundle.join(FILE))?)?)
    }

    /// Goes to the container's own user namespace, if it has one, and becomes its user there.
    ///
    /// # Errors
    /// The cause; what was done stays.
    pub(super) fn enter(&self, user_namespace: Option<&File>) -> Result<(), String> {
        match (user_namespace, &self.user) {
            (None, None) => Ok(()),
            (Some(namespace), Some(User { uid, gid, groups })) => {
                let identity = Identity {
                    uid: *uid,
                    gid: *gid,
                    groups,
                };
                user_namespace::enter(namespace, &identity).map_err(|error| error.to_string())
            }
            _ => Err("the user namespace and its user do not go together".into()),
        }
    }

    /// Confines this process. There is no way back.
    ///
    /// # Errors
    /// The cause; what was done stays.
    pub(super) fn apply(&self) -> Result<(), String> {
        if let Some(filter) = &self.filter {
            filter
                .load()
                .map_err(|error| format!("cannot load the seccomp filter: {error}"))?;
        }
        capabilities::drop_privileges(&self.capabilities, &*create_syscall())
            .map_err(|error| format!("cannot drop capabilities: {error}"))
    }
}

fn none() -> LinuxCapabilities {
    let mut capabilities = LinuxCapabilities::default();
    let nothing = || Some([].into());
    capabilities.set_bounding(nothing());
    capabilities.set_effective(nothing());
    capabilities.set_permitted(nothing());
    capabilities.set_inheritable(nothing());
    capabilities.set_ambient(nothing());
    capabilities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::seccomp::default_profile;

    #[test]
    fn the_library_gets_neither_profile_nor_capabilities_and_the_monitor_gets_both() {
        let bundle = tempfile::tempdir().unwrap();
        let mut spec = Spec::default();
        let profile = default_profile().unwrap();
        let linux = spec.linux_mut().as_mut().unwrap();
        linux.set_seccomp(Some(profile.clone()));
        let process = spec.process().as_ref().unwrap();
        let capabilities = process.capabilities().clone().unwrap();
        Confinement::take_from(&mut spec, None)
            .unwrap()
            .write(bundle.path())
            .unwrap();
        assert_eq!(spec.process().as_ref().unwrap().capabilities(), &None);
        assert_eq!(spec.linux().as_ref().unwrap().seccomp(), &None);
        let read = Confinement::read(bundle.path()).unwrap();
        assert_eq!(read.capabilities, capabilities);
        assert_eq!(read.filter, Some(compiled(&profile).unwrap()));
    }

    #[test]
    fn a_configuration_that_names_no_capabilities_leaves_none() {
        let mut spec = Spec::default();
        spec.process_mut().as_mut().unwrap().set_capabilities(None);
        let confinement = Confinement::take_from(&mut spec, None).unwrap();
        let bounding = confinement.capabilities.bounding().clone();
        assert_eq!(bounding, Some([].into()));
    }

    #[test]
    fn in_a_user_namespace_the_library_works_as_root() {
        let mut spec = Spec::default();
        let user = User {
            uid: 7,
            gid: 8,
            groups: vec![8, 9],
        };
        let confinement = Confinement::take_from(&mut spec, Some(&user)).unwrap();
        assert_eq!(confinement.user, Some(user));
        assert_eq!(spec.process().as_ref().unwrap().user(), &Root::default());
        // Without the namespace that user would be another one.
        assert!(confinement.enter(None).is_err());
    }

    #[test]
    fn without_its_file_there_is_no_confinement() {
        let bundle = tempfile::tempdir().unwrap();
        assert!(Confinement::read(bundle.path()).is_err());
    }
}
