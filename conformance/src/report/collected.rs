//! The whole run, for the reports that are written at its end.

use crate::event::{Event, Outcome, Run, Summary};

/// What a run was about, and how its scenarios ended.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) run: Option<Run>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Collected {
    /// Takes the next event. At the end of the run the outcomes are in the order of suite and id, and its summary is given.
    pub(super) fn take<'a>(&mut self, event: &'a Event) -> Option<&'a Summary> {
        match event {
            Event::Started(run) => self.run = Some(run.clone()),
            Event::ScenarioStarted { .. } | Event::Note(_) => {}
            Event::ScenarioEnded(outcome) => self.outcomes.push((**outcome).clone()),
            Event::Ended(summary) => {
                self.outcomes
                    .sort_by(|a, b| (&a.suite, &a.id).cmp(&(&b.suite, &b.id)));
                return Some(summary);
            }
        }
        None
    }
}
