//! What a run is asked to do.

use std::{num::NonZeroUsize, path::PathBuf, str::FromStr, time::Duration};

use super::filter::Filter;
use crate::{endpoint::Address, idl::Definitions, scenario::ast::Level};

/// Everything that the command line says about a run.
#[derive(Debug)]
pub struct Settings {
    /// The endpoint.
    pub address: Address,
    /// Which scenarios; none: all.
    pub filters: Vec<Filter>,
    /// Departures below this level are reported and do not gate.
    pub gate: Level,
    /// The run owns the endpoint.
    pub exclusive: bool,
    /// The probe image, if the endpoint has it already.
    pub image: Option<String>,
    /// A registry that the endpoint can pull from, `HOST:PORT`.
    pub registry: Option<String>,
    /// A directory that suite and endpoint both see.
    pub shared: Option<SharedDirectory>,
    /// A block device of the endpoint's host whose use containers may be limited in.
    pub block_device: Option<String>,
    /// Scenarios at the same time.
    pub jobs: NonZeroUsize,
    /// The bound on a scenario without one of its own.
    pub timeout: Duration,
    /// How often each scenario runs.
    pub repeat: NonZeroUsize,
    /// The part of the scenarios that this run takes.
    pub shard: Option<Shard>,
    /// What replies are held against.
    pub definitions: Definitions,
    /// The command line that repeats the run, without a filter.
    pub command: String,
}

/// A directory as the suite sees it, and as the endpoint does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedDirectory {
    /// Here.
    pub here: PathBuf,
    /// There.
    pub there: PathBuf,
}

impl FromStr for SharedDirectory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (here, there) = text.split_once(':').unwrap_or((text, text));
        let (here, there) = (PathBuf::from(here), PathBuf::from(there));
        if !there.is_absolute() {
            return Err(
                "expected HERE or HERE:THERE; the endpoint needs an absolute path".to_owned(),
            );
        }
        Ok(Self { here, there })
    }
}

/// One of several parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// How many there are.
    pub count: NonZeroUsize,
}

impl Shard {
    /// Whether the scenario of this number, from 0, belongs to the part.
    pub fn takes(self, number: usize) -> bool {
        number.checked_rem(self.count.get()) == self.index.checked_sub(1)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(index, count)| {
            let (index, count) = (index.parse().ok()?, count.parse::<NonZeroUsize>().ok()?);
            (1..=count.get())
                .contains(&index)
                .then_some(Self { index, count })
        });
        parsed.ok_or_else(|| "expected I/N with I from 1 to N, such as 1/4".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0/3")]
    #[case("4/3")]
    #[case("1/0")]
    #[case("1")]
    #[case("a/b")]
    fn a_shard_outside_its_count_is_refused(#[case] text: &str) {
        assert!(text.parse::<Shard>().is_err());
    }

    #[test]
    fn the_shards_of_a_run_take_every_scenario_once() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"]
            .map(|text| text.parse().unwrap())
            .into();
        for number in 0..20 {
            assert_eq!(shards.iter().filter(|shard| shard.takes(number)).count(), 1);
        }
    }

    #[rstest]
    #[case("/a", "/a", "/a")]
    #[case("/a:/b", "/a", "/b")]
    #[case("a:/b", "a", "/b")]
    fn a_shared_directory_has_two_sides(
        #[case] text: &str,
        #[case] here: &str,
        #[case] there: &str,
    ) {
        let parsed: SharedDirectory = text.parse().unwrap();
        assert_eq!(
            parsed,
            SharedDirectory {
                here: here.into(),
                there: there.into()
            }
        );
    }

    #[test]
    fn a_relative_path_means_nothing_to_the_endpoint() {
        assert!("a".parse::<SharedDirectory>().is_err());
    }
}
