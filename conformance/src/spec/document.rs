//! Reads SPEC.md: requirements, and the table of those that no scenario covers yet.

use std::collections::{BTreeMap, BTreeSet};

use super::requirement::{Requirement, Source, level_of};

/// The heading of the table of gaps.
const NOT_COVERED: &str = "Not covered yet";

/// A specification.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The requirements, in the order of the text.
    pub requirements: Vec<Requirement>,
    /// Ids of the table `Not covered yet`, with the reason given there.
    pub not_covered: BTreeMap<String, String>,
}

/// A line of SPEC.md that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SPEC.md, line {line}: {what}")]
pub struct SpecError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Document {
    /// The specification that ships with this program.
    ///
    /// # Errors
    /// Its text is broken.
    pub fn shipped() -> Result<Self, SpecError> {
        Self::parse(super::TEXT)
    }

    /// Reads a specification.
    ///
    /// # Errors
    /// The first line that is not as SPEC.md describes it, or an id given twice.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            reader
                .line(number, line)
                .map_err(|what| SpecError { line: number, what })?;
        }
        reader.finish()
    }

    /// The requirement of this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.requirements
            .iter()
            .find(|requirement| requirement.id == id)
    }
}

/// An item whose text or source may go on in the next line.
struct Open {
    requirement: Requirement,
    source: Option<String>,
}

#[derive(Default)]
struct Reader {
    document: Document,
    ids: BTreeSet<String>,
    section: String,
    in_gaps: bool,
    fenced: bool,
    open: Option<Open>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.starts_with("```") {
            self.fenced = !self.fenced;
        }
        if self.fenced {
            return Ok(());
        }
        if let Some(item) = line.strip_prefix("- **") {
            self.close()?;
            self.open = self.item(number, item)?;
        } else if line.starts_with("  ") {
            self.continuation(line.trim());
        } else {
            self.close()?;
            self.heading_or_row(line)?;
        }
        Ok(())
    }

    /// `Id-N** · level · text`; bold words that are no id start an ordinary list item.
    fn item(&self, number: usize, item: &str) -> Result<Option<Open>, String> {
        let Some((id, rest)) = item.split_once("**") else {
            return Ok(None);
        };
        if !is_id(id) {
            return Ok(None);
        }
        let mut parts = rest.splitn(3, '·').map(str::trim);
        let (Some(""), Some(level), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("{id} is not followed by · level · text"));
        };
        let level = level_of(level).ok_or_else(|| format!("{id} has no level {level:?}"))?;
        let requirement = Requirement {
            id: id.to_owned(),
            level,
            text: text.to_owned(),
            source: Source::Ruling(String::new()),
            section: self.section.clone(),
            line: number,
        };
        Ok(Some(Open {
            requirement,
            source: None,
        }))
    }

    fn continuation(&mut self, text: &str) {
        let Some(open) = &mut self.open else { return };
        if let Some(source) = text.strip_prefix("Source:") {
            open.source = Some(source.trim().to_owned());
            return;
        }
        let target = open.source.as_mut().unwrap_or(&mut open.requirement.text);
        target.push(' ');
        target.push_str(text);
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Open {
            mut requirement,
            source,
        }) = self.open.take()
        else {
            return Ok(());
        };
        let id = &requirement.id;
        let source = source.ok_or_else(|| format!("{id}, above, has no Source"))?;
        requirement.source = Source::parse(&source)
            .ok_or_else(|| format!("{id}, above, has a source of no known kind: {source}"))?;
        if !self.ids.insert(id.clone()) {
            return Err(format!("{id}, above, is there twice"));
        }
        self.document.requirements.push(requirement);
        Ok(())
    }

    fn heading_or_row(&mut self, line: &str) -> Result<(), String> {
        if let Some(heading) = line.strip_prefix("## ") {
            self.section = heading.to_owned();
            self.in_gaps = heading.ends_with(NOT_COVERED);
        } else if self.in_gaps && line.starts_with('|') {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let (ids, why) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
            let is_head = ids.chars().all(|letter| letter == '-') || !ids.contains('-');
            for id in if is_head { Vec::new() } else { expand(ids)? } {
                self.document.not_covered.insert(id, why.to_owned());
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Document, SpecError> {
        let line = self.open.as_ref().map_or(0, |open| open.requirement.line);
        self.close().map_err(|what| SpecError { line, what })?;
        Ok(self.document)
    }
}

fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(name, number)| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_'))
            && number.parse::<u32>().is_ok()
    })
}

/// `A-1`, `A-1..9` or `A-1..A-9`, several with commas.
fn expand(cell: &str) -> Result<Vec<String>, String> {
    let mut ids = Vec::new();
    for part in cell.split(',').map(|part| part.trim().trim_matches('`')) {
        ids.extend(expand_range(part).ok_or_else(|| format!("{part:?} is no id or range of ids"))?);
    }
    Ok(ids)
}

fn expand_range(part: &str) -> Option<Vec<String>> {
    let Some((first, last)) = part.split_once("..") else {
        return is_id(part).then(|| vec![part.to_owned()]);
    };
    let (name, from) = first.rsplit_once('-')?;
    let to = last
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(last);
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then(|| {
        (from..=to)
            .map(|number| format!("{name}-{number}"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::scenario::ast::Level;

    const TEXT: &str = "# Head
    - **Example-1** · must · an indented example is no requirement
## 1. First
- **A-1** · must · One thing
  and more of it.
  Source: API.md \"words\"
  and more.
- **A.a_field-2** · may · Other.
  Source: ruling — why
- **bold** words

## 17. Not covered yet
| Ids | Why |
|---|---|
| A-1, B.b_c-2..4 | later |
| C-8..C-9 | never |
";

    #[test]
    fn requirements_are_read_over_line_ends() {
        let document = Document::parse(TEXT).unwrap();
        let [first, second] = document.requirements.as_slice() else {
            panic!("{document:?}")
        };
        assert_eq!(first.text, "One thing and more of it.");
        assert_eq!(first.source, Source::Api("\"words\" and more.".to_owned()));
        assert_eq!((first.section.as_str(), first.line), ("1. First", 4));
        assert_eq!(
            (second.level, &second.source),
            (Level::May, &Source::Ruling("why".to_owned()))
        );
    }

    #[test]
    fn the_table_of_gaps_may_name_ranges() {
        let document = Document::parse(TEXT).unwrap();
        let ids: Vec<&str> = document.not_covered.keys().map(String::as_str).collect();
        assert_eq!(ids, ["A-1", "B.b_c-2", "B.b_c-3", "B.b_c-4", "C-8", "C-9"]);
    }

    #[rstest]
    #[case(
        "- **A-1** · must · x\n  Source: API.md \"\"\n- **A-1** · may · y\n  Source: ruling — z",
        3,
        "twice"
    )]
    #[case("- **A-1** · shall · x\n", 1, "level \"shall\"")]
    #[case("- **A-1** · must · x\n\n", 2, "no Source")]
    #[case("- **A-1** · must · x\n  Source: hearsay\n\n", 3, "no known kind")]
    #[case("- **A-1** must\n", 1, "not followed by")]
    #[case("## 9. Not covered yet\n| A-9..1 | why |\n", 2, "no id or range")]
    fn a_broken_line_is_named(#[case] text: &str, #[case] line: usize, #[case] what: &str) {
        let error = Document::parse(text).unwrap_err();
        assert!(error.what.contains(what), "{error}");
        assert_eq!(error.line, line, "{error}");
    }
}
