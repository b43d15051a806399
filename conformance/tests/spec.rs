//! SPEC.md keeps the form that it promises, and every requirement has a scenario or an excuse.

#![expect(clippy::unwrap_used)] // helpers of tests

use varlink_conformance::{
    scenario::{
        ast::Level,
        suite::{NAMES, Suite},
    },
    spec::{Coverage, Covered, Document, Source},
};

fn shipped() -> (Document, Vec<Suite>) {
    let suites = NAMES.map(|name| Suite::shipped(name).unwrap());
    (Document::shipped().unwrap(), suites.into())
}

#[test]
fn every_line_of_the_specification_is_understood() {
    let document = Document::shipped().unwrap();
    assert!(document.requirements.len() > 100);
}

#[test]
fn a_ruling_is_never_a_must() {
    let document = Document::shipped().unwrap();
    let wrong: Vec<&str> = document
        .requirements
        .iter()
        .filter(|one| one.level == Level::Must && matches!(one.source, Source::Ruling(_)))
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_requirement_is_covered_by_a_scenario_or_listed_as_not_covered_yet_and_not_both() {
    let (document, suites) = shipped();
    let coverage = Coverage::new(&document, suites.iter().flat_map(|suite| &suite.scenarios));
    let ids = |rows: Vec<&Covered<'_>>| -> Vec<String> {
        rows.iter().map(|row| row.requirement.id.clone()).collect()
    };
    assert_eq!(
        ids(coverage.gaps().collect()),
        [""; 0],
        "covered by nothing"
    );
    assert_eq!(
        ids(coverage.stale().collect()),
        [""; 0],
        "covered, but listed"
    );
    assert_eq!(coverage.unknown_gaps, [""; 0], "listed, but no requirement");
}

#[test]
fn scenarios_cover_requirements_that_exist_at_a_level_no_higher_than_theirs() {
    let (document, suites) = shipped();
    let coverage = Coverage::new(&document, suites.iter().flat_map(|suite| &suite.scenarios));
    assert_eq!(coverage.unknown, [("", ""); 0]);
    assert_eq!(coverage.too_high, [""; 0]);
}
