//! The run as one JSON document, for other programs. Its form is versioned by `schema`.

use std::io::{self, Write};

use serde::Serialize;

use super::{Consumer, collected::Collected};
use crate::event::{Event, Outcome, Run, Summary};

/// Raised when a reader of the older form could misread the newer one.
const SCHEMA: u32 = 1;

/// Collects the run, and writes it at its end.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    collected: Collected,
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
    pub fn new(out: W) -> Self {
        Self {
            out,
            collected: Collected::default(),
        }
    }

    fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        let Collected { run, outcomes } = &self.collected;
        let document = Document {
            schema: SCHEMA,
            run,
            outcomes,
            summary,
        };
        serde_json::to_writer_pretty(&mut self.out, &document)?;
        writeln!(self.out)?;
        self.out.flush()
    }
}

impl<W: Write + Send> Consumer for Json<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match self.collected.take(event) {
            Some(summary) => self.finish(summary),
            None => Ok(()),
        }
    }
}
