//! The run as one JSON document, for other programs. Its form is versioned by `schema`.

use std::{
    io::{self, Write},
    mem,
};

use serde::Serialize;

use super::Consumer;
use crate::event::{Event, Outcome, Run, Summary};

/// Raised when a reader of the older form could misread the newer one.
const SCHEMA: u32 = 1;

/// Collects the run, and writes it at its end.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    run: Option<Run>,
    outcomes: Vec<Outcome>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    run: &'a Option<Run>,
    outcomes: &'a [Outcome],
    summary: &'a Summary,
}

impl<W: Write> Json<W> {
    /// A report that goes to `out`.
    pub const fn new(out: W) -> Self {
        Self {
            out,
            run: None,
            outcomes: Vec::new(),
        }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let mut outcomes = mem::take(&mut self.outcomes);
        outcomes.sort_by(|a, b| (&a.suite, &a.id).cmp(&(&b.suite, &b.id)));
        let document = Document {
            schema: SCHEMA,
            run: &self.run,
            outcomes: &outcomes,
            summary,
        };
        serde_json::to_writer_pretty(&mut self.out, &document)?;
        writeln!(self.out)?;
        self.out.flush()
    }
}

impl<W: Write + Send> Consumer for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.run = Some(run.clone()),
            Event::ScenarioStarted { .. } | Event::Note(_) => {}
            Event::ScenarioEnded(outcome) => self.outcomes.push((**outcome).clone()),
            Event::Ended(summary) => return self.finish(summary),
        }
        Ok(())
    }
}
