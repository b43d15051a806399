//! What all scenarios of a run share.

use std::{path::PathBuf, time::Duration};

use crate::{
    endpoint::{Address, Interrupt},
    idl::Definitions,
    scenario::captures::Captures,
};

/// The endpoint under test and the means of the run.
#[derive(Debug)]
pub(super) struct Stage<'r> {
    /// Where the endpoint is.
    pub(super) address: Address,
    /// What replies are held against.
    pub(super) definitions: Definitions,
    /// Thrown when the user wants the run to end.
    pub(super) interrupt: &'r Interrupt,
    /// The bound on a scenario without one of its own, and on a clean-up step.
    pub(super) timeout: Duration,
    /// Part of every name that this run makes.
    pub(super) run_id: String,
    /// The shared directory as the endpoint sees it.
    pub(super) shared: Option<PathBuf>,
    /// A block device of the endpoint's host.
    pub(super) block_device: Option<String>,
    /// The reference of the probe image, or why it is not there.
    pub(super) image: Option<Result<String, String>>,
}

impl Stage<'_> {
    /// The values that are always there, for the scenario of this number in the run.
    pub(super) fn captures(&self, number: usize) -> Captures {
        let mut captures = Captures::new();
        captures.set("unique", format!("vct-{}-{number}", self.run_id));
        captures.set("address", self.address.to_string());
        let shared = self.shared.as_ref().map(|path| path.display().to_string());
        captures.set("shared", shared.unwrap_or_default());
        let block_device = self.block_device.clone().unwrap_or_default();
        captures.set("block_device", block_device);
        let image = self.image.as_ref().and_then(|image| image.as_ref().ok());
        captures.set("image", image.cloned().unwrap_or_default());
        captures
    }
}
