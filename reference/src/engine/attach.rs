//! GetAttachSockets.

use std::path::PathBuf;

use super::container::Container;

/// Where a container's sockets are while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachSockets {
    /// The container's id.
    pub id: String,
    /// SOCK_SEQPACKET; see [`crate::monitor::RunDir::attach`].
    pub io: PathBuf,
    /// A FIFO; see [`crate::monitor::RunDir::ctl`].
    pub control: PathBuf,
}

impl From<&Container> for AttachSockets {
    fn from(container: &Container) -> Self {
        Self {
            id: container.id(),
            io: container.dir.attach(),
            control: container.dir.ctl(),
        }
    }
}
