//! How a monitor begins: cut loose from the daemon, with one pipe to answer on.

use std::{ffi::OsString, fs::File, io::Write};

use crate::{
    monitor::{RunDir, report::Report},
    settings::Settings,
    sys::{detach::detach, limits},
};

/// What the daemon asked for.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) dir: RunDir,
    pub(super) settings: Settings,
    answer: Option<File>,
}

impl Entry {
    /// `None` if a person ran the subcommand by hand with other arguments, the kernel refuses, or the settings cannot be read; the
    /// last of these is told to the daemon.
    pub(super) fn new(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let id = arguments.next()?.into_string().ok()?;
        let dir = RunDir::new(arguments.next()?, arguments.next()?);
        let answer = detach().ok()?.into();
        limits::lower_open_files().ok()?;
        match Settings::load(dir.run()) {
            Ok(settings) => Some(Self {
                id,
                dir: dir.with_log(&settings.stdio.log),
                settings,
                answer: Some(answer),
            }),
            Err(error) => {
                tell(answer, &Report::Failed(format!("its settings: {error}")));
                None
            }
        }
    }

    /// Tells the daemon, once. A daemon that has died meanwhile reads the records instead.
    pub(super) fn report(&mut self, report: &Report) {
        if let Some(answer) = self.answer.take() {
            tell(answer, report);
        }
    }
}

fn tell(mut answer: File, report: &Report) {
    if let Ok(text) = serde_json::to_vec(report) {
        let _ = answer.write_all(&text);
    }
}
