//! `show`: a scenario as it is written, and the sentences that it holds.

use std::io::Write;

use clap::Args;

use super::{failure::Failure, say, suites};
use crate::{
    runner::{self, Filter},
    spec::Document,
};

/// Show a scenario and the requirements that it holds.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The scenario's id; a case in brackets does not matter
    id: String,
    /// A suite: varlink, podman, a folder or a file [default: all that ship]
    #[arg(long = "suite", value_name = "NAME|DIR")]
    suites: Vec<String>,
}

impl Show {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let suites = suites(&self.suites)?;
        let filter = Filter::parse(&Filter::literal(&self.id)).map_err(Failure::Usage)?;
        let Some(unit) = runner::choose(&suites, &[filter]).next() else {
            return Err(Failure::Nothing(format!(
                "no scenario has the id {}",
                self.id
            )));
        };
        let scenario = unit.scenario;
        say(out, scenario.file.text.trim_end())?;
        say(out, "")?;
        let document = Document::shipped()?;
        for id in &scenario.covers {
            match document.get(&id.node) {
                Some(requirement) => say(
                    out,
                    format_args!(
                        "{} ({}): {}",
                        requirement.id, requirement.level, requirement.text
                    ),
                )?,
                None => say(out, format_args!("{} is not in SPEC.md", id.node))?,
            }
        }
        Ok(0)
    }
}
