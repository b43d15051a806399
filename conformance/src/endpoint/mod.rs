//! Addresses, connections and frames: what it takes to talk to an endpoint.
