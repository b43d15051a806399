//! Reads a scenario file.

use std::{cell::Cell, ops::Range, sync::Arc};

pub use super::include::Fragments;
use super::{
    ast::{Scenario, SourceFile},
    flow,
    front_matter::{self, FrontMatter},
    include::Includes,
    mistake::Mistake,
    transcript::{Transcript, read_transcript},
};

/// How large a file may be; more is no scenario.
const SIZE: usize = 1 << 20;

/// How many mistakes of one file are told; the rest mostly follows from the first.
const MISTAKES: usize = 20;

/// Reads a scenario, fragments put in.
///
/// # Errors
/// The first 20 mistakes that were found, at least one.
pub fn parse_scenario(
    file: &Arc<SourceFile>,
    fragments: &dyn Fragments,
) -> Result<Scenario, Vec<Mistake>> {
    read(file, fragments).map_err(|mut mistakes| {
        mistakes.truncate(MISTAKES);
        mistakes
    })
}

fn read(file: &Arc<SourceFile>, fragments: &dyn Fragments) -> Result<Scenario, Vec<Mistake>> {
    let (head, body) = parts(file).map_err(|mistake| vec![mistake])?;
    let front_matter = front_matter::read(file, head);
    let count = Cell::new(0);
    let transcript = read_transcript(file, body, Includes::new(fragments, file, &count));
    let mut mistakes = wrong_whole(file, &transcript, front_matter.as_ref().ok());
    match front_matter {
        Ok(front_matter) if mistakes.is_empty() => Ok(scenario(file, front_matter, transcript)),
        Ok(_) => Err(mistakes),
        Err(mut found) => {
            found.append(&mut mistakes);
            Err(found)
        }
    }
}

/// The bytes of the front matter and of the transcript.
fn parts(file: &Arc<SourceFile>) -> Result<(Range<usize>, Range<usize>), Mistake> {
    let text = &file.text;
    if text.len() > SIZE {
        return Err(Mistake::new(file, 0..0, "the file is larger than 1 MiB"));
    }
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    if first.trim_end() != "---" {
        let mistake = Mistake::new(
            file,
            0..first.trim_end().len(),
            "the file has no front matter",
        );
        return Err(mistake.expected("expected a line of three dashes first"));
    }
    let start = first.len();
    let mut at = start;
    for line in lines {
        if line.trim_end() == "---" {
            return Ok((start..at, at + line.len()..text.len()));
        }
        at += line.len();
    }
    let mistake = Mistake::new(file, 0..3, "the front matter has no end");
    Err(mistake.expected("expected a second line of three dashes after it"))
}

fn wrong_whole(
    file: &Arc<SourceFile>,
    transcript: &Transcript,
    front_matter: Option<&FrontMatter>,
) -> Vec<Mistake> {
    let mut mistakes = transcript.mistakes.clone();
    let end = file.text.trim_end().len();
    if transcript.title.is_none() {
        let mistake = Mistake::new(file, end..end, "the scenario has no title");
        mistakes
            .push(mistake.expected("expected a comment, # and a sentence, above the first step"));
    }
    if !mistakes.is_empty() {
        // A step that could not be read may be the one that captures a name.
        return mistakes;
    }
    if transcript.steps.is_empty() {
        let mistake = Mistake::new(file, end..end, "the scenario has no steps");
        mistakes.push(mistake.expected("expected $ varlink call … or > …"));
    } else if let Some(front_matter) = front_matter {
        mistakes = flow::check(&transcript.steps, file, &front_matter.case_values);
    }
    mistakes
}

fn scenario(file: &Arc<SourceFile>, front_matter: FrontMatter, transcript: Transcript) -> Scenario {
    Scenario {
        id: front_matter.id,
        was: front_matter.was,
        level: front_matter.level,
        covers: front_matter.covers,
        needs: front_matter.needs,
        timeout: front_matter.timeout,
        cases: front_matter.cases,
        title: transcript.title.unwrap_or_default(),
        steps: transcript.steps,
        file: Arc::clone(file),
    }
}
