//! Who the processes are and what they may do.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Who the processes are and what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Further groups: names of the container's /etc/group, or numbers.
    pub groups: Vec<String>,
    /// Which capabilities there are.
    pub capabilities: Capabilities,
    /// Every capability and device, nothing masked, no filter.
    pub privileged: bool,
    /// No gain of privileges by execve.
    pub no_new_privileges: bool,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Kernel parameters of its namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// Which system calls its processes may make.
    pub seccomp: Seccomp,
    /// The AppArmor profile of its processes.
    pub apparmor: Option<String>,
    /// The root filesystem cannot be written.
    pub read_only: bool,
}

/// Which system calls processes may make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seccomp {
    /// Those that ordinary programs make; in a privileged container every one.
    #[default]
    Default,
    /// Every one.
    Unconfined,
    /// Those that a profile allows, whose text this is: its file may change.
    Profile(String),
}

/// A device of the host that the container has too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its path on the host.
    pub host: PathBuf,
    /// Its path inside: absolute, without `..`.
    pub container: PathBuf,
    /// What may be done with it: letters of `rwm`.
    pub access: String,
}

/// Changes of the default capabilities; the names are the kernel's, or [`Capabilities::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// What is added.
    pub add: Vec<String>,
    /// What is taken away.
    pub drop: Vec<String>,
}

impl Capabilities {
    /// Every capability that the engine has.
    pub const ALL: &str = "ALL";
}
