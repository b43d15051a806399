//! Every scenario that ships can be read.

use rstest::rstest;
use varlink_conformance::scenario::suite::{Suite, SuiteError};

#[rstest]
#[case("podman")]
#[case("varlink")]
fn has_no_mistakes(#[case] name: &str) {
    match Suite::shipped(name) {
        Ok(suite) => assert!(!suite.scenarios.is_empty()),
        Err(SuiteError::Mistakes(mistakes)) => {
            let rendered: Vec<String> = mistakes.iter().map(|one| one.render()).collect();
            panic!("{} mistakes\n{}", rendered.len(), rendered.join("\n"));
        }
        Err(other) => panic!("{other}"),
    }
}
