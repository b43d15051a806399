//! A container's network, and the names that it knows.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A container's network, and the names that it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// The id of the container whose network it uses, and whose files that say where other hosts are.
    pub container: Option<String>,
    /// Ports that it offers, the image's among them.
    pub exposed_ports: Vec<Ports>,
    /// Name servers in the place of the host's; empty: the host's.
    pub dns_servers: Vec<IpAddr>,
    /// Search domains in the place of the host's, which may be none.
    pub dns_search: Option<Vec<String>>,
    /// Resolver options in the place of the host's; empty: the host's.
    pub dns_options: Vec<String>,
    /// Names of other hosts.
    pub hosts: Vec<KnownHost>,
}

/// Ports in a row, of one protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ports {
    /// The first one, from 1 on.
    pub first: u16,
    /// The last one, not below the first.
    pub last: u16,
    /// Whose ports they are.
    pub protocol: Protocol,
}

/// A protocol that has ports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// As it is written behind a port.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// The name of a host and its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHost {
    /// Letters, digits, `.`, `-` and `_`.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
}
