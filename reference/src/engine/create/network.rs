//! Create's fields: network, ports, and the names that the container knows.

use super::refuse_given;
use crate::{engine::request::NetworkRequest, settings::Network};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &NetworkRequest) -> Result<Network, String> {
    refuse_given(&[
        ("network", request.network.is_some()),
        ("publish", !request.publish.is_empty()),
        ("publish_all", request.publish_all),
        ("exposed_ports", !request.exposed_ports.is_empty()),
        ("dns_servers", !request.dns_servers.is_empty()),
        ("dns_search", !request.dns_search.is_empty()),
        ("dns_opt", !request.dns_opt.is_empty()),
        ("host_add", !request.host_add.is_empty()),
    ])?;
    Ok(Network {})
}
