//! A container's bundle: what the daemon leaves in the run directory for the monitor to make the container from.

use std::{io, path::Path};

use oci_spec::OciSpecError;

use super::{
    ContainerSetup, confinement::Confinement, devices, filter::Uncompiled, joins,
    placement::Placement,
};
use crate::sys::cgroup::Hierarchies;

/// The OCI configuration, in the bundle.
pub(super) const CONFIGURATION: &str = "config.json";

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The OCI library refuses a value, or the configuration cannot be written.
    #[error("cannot make the OCI configuration")]
    Configuration(#[from] OciSpecError),
    /// The seccomp profile is no good.
    #[error(transparent)]
    Seccomp(#[from] Uncompiled),
    /// One of the other files cannot be written.
    #[error("cannot write the settings or the confinement of process 1")]
    Beside(#[from] io::Error),
}

impl ContainerSetup {
    /// Writes the bundle: the OCI configuration (`config.json`) without what the executor does in place of the runtime library, and
    /// that apart, and the settings, for which the configuration has not all the places.
    ///
    /// # Errors
    /// If a value is refused, the seccomp profile cannot be compiled, or a file cannot be written.
    pub fn write_bundle(&self, bundle: &Path) -> Result<(), BundleError> {
        let mut spec = self.spec()?;
        let is_mapped = self.settings.namespaces.ids.is_some();
        let user = is_mapped.then_some(&self.user);
        Confinement::take_from(&mut spec, user)?.write(bundle)?;
        devices::take_rules(&mut spec, Hierarchies::of_host()?, bundle)?;
        Placement::take_from(&mut spec, &self.settings.mounts).write(bundle)?;
        self.settings.save(bundle)?;
        joins::write(&self.joins, bundle)?;
        Ok(spec.save(bundle.join(CONFIGURATION))?)
    }
}
