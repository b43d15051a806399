//! From a resolved container to an OCI runtime specification, and libcontainer (only ever called in a monitor process).
