//! How a monitor begins: with its settings, and one pipe to answer on.

use std::{fs::File, io::Write};

use super::requests::Request;
use crate::{
    monitor::{RunDir, report::Report},
    settings::Settings,
    sys::wait::has_reader,
};

/// What the daemon asked for.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) dir: RunDir,
    pub(super) settings: Settings,
    answer: Option<File>,
}

impl Entry {
    /// `None` if the request is malformed, or the settings cannot be read, which is told to the daemon.
    pub(super) fn new(request: Request) -> Option<Self> {
        let mut arguments = request.arguments.into_iter();
        let id = arguments.next()?.into_string().ok()?;
        let dir = RunDir::new(arguments.next()?, arguments.next()?);
        let answer = request.report;
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

    /// Whether the daemon still waits for an answer.
    pub(super) fn is_awaited(&self) -> bool {
        self.answer.as_ref().is_none_or(has_reader)
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
