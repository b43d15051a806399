//! SPEC.md keeps the form that it promises, and every requirement has a scenario or an excuse.

use varlink_conformance::{
    scenario::ast::Level,
    spec::{Document, Source},
};

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
