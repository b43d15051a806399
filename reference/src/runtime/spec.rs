//! The OCI configuration of a container.

use std::collections::HashMap;

use oci_spec::{
    OciSpecError,
    runtime::{
        Linux, LinuxBuilder, LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType,
        LinuxResourcesBuilder, Process, ProcessBuilder, RootBuilder, Spec, SpecBuilder,
        UserBuilder,
    },
};

use super::{ContainerSetup, Network, devices, isolation, mounts, seccomp, setup::cgroup_path};
use crate::{
    settings::{Namespace, Namespaces},
    sys::{
        capabilities::{CapabilitySet, held},
        cgroup::Hierarchies,
    },
};

/// Where programs are looked for when the image does not say.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The version of the OCI runtime specification that configurations follow.
pub const OCI_VERSION: &str = "1.0.2";

impl ContainerSetup {
    /// Its OCI configuration.
    ///
    /// # Errors
    /// If the OCI library refuses a value, or the host's cgroups cannot be read.
    pub fn spec(&self) -> Result<Spec, OciSpecError> {
        let host = Hierarchies::of_host().map_err(OciSpecError::Io)?;
        let bounding =
            isolation::bounding(&self.settings.security, held().map_err(OciSpecError::Io)?);
        let mut spec = SpecBuilder::default()
            .version(OCI_VERSION)
            .hostname(&self.hostname)
            .root(
                RootBuilder::default()
                    .path(&self.rootfs)
                    .readonly(self.settings.security.read_only)
                    .build()?,
            )
            .mounts(mounts::mounts(
                &self.id,
                &self.files,
                &self.volumes,
                &self.settings,
            )?)
            .process(self.process(bounding)?)
            .linux(self.linux(host, bounding)?)
            .annotations(self.labels.clone().into_iter().collect::<HashMap<_, _>>())
            .build()?;
        if self.settings.namespaces.uts == Namespace::Host {
            // It has it already, and must not set it.
            spec.set_hostname(None);
        }
        Ok(spec)
    }

    fn process(&self, bounding: CapabilitySet) -> Result<Process, OciSpecError> {
        let security = &self.settings.security;
        let user = UserBuilder::default()
            .uid(self.user.uid)
            .gid(self.user.gid)
            .additional_gids(self.user.groups.clone())
            .build()?;
        let mut process = ProcessBuilder::default()
            .terminal(self.settings.stdio.terminal)
            .user(user)
            .args(self.argv.clone())
            .env(self.environment())
            .cwd(&self.cwd)
            .capabilities(isolation::capabilities(bounding, self.user.uid)?)
            .build()?;
        process.set_apparmor_profile(security.apparmor.clone());
        // Not `false`: the library takes any value as a wish to load the seccomp filter late, without the right to do so.
        process.set_no_new_privileges(security.no_new_privileges.then_some(true));
        process.set_rlimits(None);
        Ok(process)
    }

    /// The environment with PATH and HOME. The runtime would look HOME up in the image's /etc/passwd, which is not ours to trust.
    fn environment(&self) -> Vec<String> {
        let mut env = self.env.clone();
        if !env.iter().any(|entry| entry.starts_with("PATH=")) {
            env.push(PATH.to_owned());
        }
        if !env.iter().any(|entry| entry.starts_with("HOME=")) {
            env.push(
                if self.user.uid == 0 {
                    "HOME=/root"
                } else {
                    "HOME=/"
                }
                .to_owned(),
            );
        }
        env
    }

    fn linux(&self, host: &Hierarchies, bounding: CapabilitySet) -> Result<Linux, OciSpecError> {
        let security = &self.settings.security;
        let resources = LinuxResourcesBuilder::default()
            .devices(devices::rules(security)?)
            .build()?;
        let mut read_only = isolation::read_only_paths(security);
        read_only.extend(mounts::read_only_afterwards(host, security));
        let mut linux = LinuxBuilder::default()
            .namespaces(self.namespaces()?)
            .cgroups_path(cgroup_path(&self.id, &self.settings.resources))
            .resources(resources)
            .devices(devices::nodes(security)?)
            .masked_paths(isolation::masked_paths(security))
            .readonly_paths(read_only)
            .build()?;
        linux.set_seccomp(seccomp::filter(security, bounding)?);
        Ok(linux)
    }

    /// Those that are not the host's. A shared one is joined in the place of one of its own.
    fn namespaces(&self) -> Result<Vec<LinuxNamespace>, OciSpecError> {
        let Namespaces { ipc, pid, uts, .. } = &self.settings.namespaces;
        let kinds = [
            (LinuxNamespaceType::Pid, *pid != Namespace::Host),
            (LinuxNamespaceType::Ipc, *ipc != Namespace::Host),
            (LinuxNamespaceType::Uts, *uts != Namespace::Host),
            (LinuxNamespaceType::Mount, true),
            (LinuxNamespaceType::Cgroup, true),
            (LinuxNamespaceType::Network, self.network != Network::Host),
        ];
        let namespace = |kind| LinuxNamespaceBuilder::default().typ(kind).build();
        let wanted = kinds.into_iter().filter(|(_, wanted)| *wanted);
        wanted.map(|(kind, _)| namespace(kind)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        runtime::{User, VolumeDirectories},
        settings::Settings,
    };

    fn setup() -> ContainerSetup {
        ContainerSetup {
            id: "c1".into(),
            argv: vec!["/probe".into()],
            env: vec!["A=b".into()],
            cwd: "/".into(),
            hostname: "h".into(),
            rootfs: PathBuf::from("/rootfs"),
            files: PathBuf::from("/run"),
            volumes: VolumeDirectories::default(),
            user: User::default(),
            network: Network::None,
            labels: [("k".to_owned(), "v".to_owned())].into(),
            settings: Settings::default(),
            joins: Vec::new(),
        }
    }

    #[test]
    fn inheritable_and_ambient_capabilities_are_empty() {
        let spec = setup().spec().unwrap();
        let caps = spec
            .process()
            .as_ref()
            .unwrap()
            .capabilities()
            .clone()
            .unwrap();
        assert_eq!(caps.bounding().as_ref().unwrap().len(), 14);
        assert_eq!(caps.effective(), caps.bounding());
        assert!(caps.inheritable().as_ref().unwrap().is_empty());
        assert!(caps.ambient().as_ref().unwrap().is_empty());
    }

    #[test]
    fn an_ordinary_user_has_no_active_capabilities() {
        let user = User {
            uid: 7,
            gid: 7,
            groups: vec![],
        };
        let spec = ContainerSetup { user, ..setup() }.spec().unwrap();
        let caps = spec
            .process()
            .as_ref()
            .unwrap()
            .capabilities()
            .clone()
            .unwrap();
        assert!(caps.effective().as_ref().unwrap().is_empty());
    }

    #[test]
    fn path_and_home_are_added_only_where_missing() {
        assert_eq!(setup().environment(), ["A=b", PATH, "HOME=/root"]);
        let env = vec!["PATH=/x".to_owned(), "HOME=/y".to_owned()];
        assert_eq!(
            ContainerSetup {
                env: env.clone(),
                ..setup()
            }
            .environment(),
            env
        );
    }

    #[test]
    fn the_network_is_shared_with_the_host_only_when_asked_for() {
        let has_network = |network| {
            let spec = ContainerSetup { network, ..setup() }.spec().unwrap();
            let namespaces = spec.linux().as_ref().unwrap().namespaces().clone().unwrap();
            namespaces
                .iter()
                .any(|n| n.typ() == LinuxNamespaceType::Network)
        };
        assert!(has_network(Network::None));
        assert!(!has_network(Network::Host));
    }

    #[test]
    fn labels_become_annotations() {
        let spec = setup().spec().unwrap();
        assert_eq!(spec.annotations().as_ref().unwrap().get("k").unwrap(), "v");
    }
}
