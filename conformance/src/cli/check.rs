//! `check`: are there mistakes in scenario files?

use std::io::Write;

use clap::Args;

use super::{failure::Failure, say, suites};
use crate::scenario::suite::SuiteError;

/// Look for mistakes in scenario files.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Folders, files or names of shipped suites [default: all that ship]
    paths: Vec<String>,
}

impl Check {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let mut mistakes = Vec::new();
        let mut count = 0_usize;
        let names: Vec<&[String]> = match self.paths.as_slice() {
            [] => vec![&[]],
            paths => paths.chunks(1).collect(),
        };
        for name in names {
            match suites(name) {
                Ok(found) => {
                    let scenarios = found.iter().map(|suite| suite.scenarios.len());
                    count = count.saturating_add(scenarios.sum());
                }
                Err(Failure::Suite(SuiteError::Mistakes(more))) => mistakes.extend(more),
                Err(other) => return Err(other),
            }
        }
        if !mistakes.is_empty() {
            return Err(Failure::Suite(SuiteError::Mistakes(mistakes)));
        }
        say(out, format_args!("{count} scenarios, no mistakes"))?;
        Ok(0)
    }
}
