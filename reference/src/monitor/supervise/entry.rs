//! How a monitor begins: cut loose from the daemon, with one pipe to answer on.

use std::{ffi::OsString, fs::File, io::Write};

use crate::{
    monitor::{RunDir, report::Report},
    settings::{Lifecycle, Stdio},
    sys::{detach::detach, limits},
};

/// What the daemon asked for.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) dir: RunDir,
    pub(super) stdio: Stdio,
    pub(super) lifecycle: Lifecycle,
    answer: Option<File>,
}

impl Entry {
    /// `None` if a person ran the subcommand by hand with other arguments, or the kernel refuses.
    pub(super) fn new(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let id = arguments.next()?.into_string().ok()?;
        let dir = RunDir::new(arguments.next()?, arguments.next()?);
        let stdio: Stdio = serde_json::from_slice(arguments.next()?.as_encoded_bytes()).ok()?;
        let lifecycle = serde_json::from_slice(arguments.next()?.as_encoded_bytes()).ok()?;
        let answer = detach().ok()?;
        limits::lower_open_files().ok()?;
        Some(Self {
            id,
            dir: dir.with_log(&stdio.log),
            stdio,
            lifecycle,
            answer: Some(answer.into()),
        })
    }

    /// Tells the daemon, once. A daemon that has died meanwhile reads the records instead.
    pub(super) fn report(&mut self, report: &Report) {
        if let (Some(mut answer), Ok(text)) = (self.answer.take(), serde_json::to_vec(report)) {
            let _ = answer.write_all(&text);
        }
    }
}
