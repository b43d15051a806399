//! Verdicts over the whole run: what the check of every reply found and no scenario fails by.

use std::{collections::BTreeMap, time::Duration};

use super::finding::plain;
use crate::{
    event::{Finding, Outcome, Verdict},
    idl::{Departure, Kind},
    scenario::ast::Level,
};

/// Where, how often.
type Places = BTreeMap<String, usize>;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Collected {
    null: Places,
    extra: Places,
}

/// How many verdicts it becomes.
pub(super) const ROWS: usize = 2;

impl Collected {
    pub(super) fn add(&mut self, departures: Vec<Departure>) {
        for departure in departures {
            let places = match departure.kind {
                Kind::NullCollection => &mut self.null,
                Kind::UnknownMember => &mut self.extra,
                Kind::MissingMember | Kind::WrongType | Kind::UndeclaredError => continue,
            };
            let count = places.entry(departure.place).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The verdicts; `command` repeats the run.
    pub(super) fn outcomes(&self, command: &str) -> [Outcome; ROWS] {
        let row =
            |id: &str, title: &str, level, covers: &str, what: &str, places: &Places| Outcome {
                id: id.to_owned(),
                suite: "idl".to_owned(),
                title: title.to_owned(),
                level,
                covers: vec![covers.to_owned()],
                verdict: if places.is_empty() {
                    Verdict::Pass
                } else {
                    Verdict::Fail
                },
                reason: None,
                findings: findings(what, places),
                cleanup: Vec::new(),
                transcript: Vec::new(),
                duration: Duration::ZERO,
                repeat: command.to_owned(),
            };
        [
            row(
                "idl/null-collection",
                "No array or map in any reply is null.",
                Level::Should,
                "Reply-2",
                "is null",
                &self.null,
            ),
            row(
                "idl/extra-member",
                "No reply has a member that the interface definition does not have.",
                Level::May,
                "Reply-3",
                "is not in the interface definition",
                &self.extra,
            ),
        ]
    }
}

fn findings(what: &str, places: &Places) -> Vec<Finding> {
    let said = |(place, count): (&String, &usize)| match count {
        1 => plain(format!("{place} {what}, once")),
        count => plain(format!("{place} {what}, {count} times")),
    };
    places.iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departure(kind: Kind, place: &str) -> Departure {
        Departure {
            kind,
            place: place.to_owned(),
            message: String::new(),
        }
    }

    #[test]
    fn places_are_counted_and_only_non_fatal_kinds_are_kept() {
        let mut collected = Collected::default();
        collected.add(vec![
            departure(Kind::NullCollection, "ListContainers.containers"),
            departure(Kind::NullCollection, "ListContainers.containers"),
            departure(Kind::NullCollection, "ListImages.images"),
            departure(Kind::WrongType, "Ping.ping"),
        ]);
        let [null, extra] = collected.outcomes("run");
        let said: Vec<&str> = null
            .findings
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        assert_eq!(
            said,
            [
                "ListContainers.containers is null, 2 times",
                "ListImages.images is null, once"
            ]
        );
        assert_eq!((null.verdict, null.level), (Verdict::Fail, Level::Should));
        assert_eq!((extra.verdict, extra.level), (Verdict::Pass, Level::May));
    }
}
