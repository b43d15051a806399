//! A directory of one's own is a suite; a single file is one too.
#![expect(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{fs, path::Path};

use rstest::rstest;
use tempfile::TempDir;
use varlink_conformance::scenario::suite::{Suite, SuiteError};

const STEP: &str = "$ varlink call a.b.C\n{}\n";

fn scenario(id: &str, more: &str, body: &str) -> String {
    format!(
        "---\nid = \"{id}\"\nlevel = \"may\"\ncovers = [\"A-1\"]\n{more}---\n# A title.\n{body}"
    )
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A directory named `mine` with one scenario in its root and one in a folder.
fn mine() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let include = format!("@include \"../setup.fragment\"\n\n{STEP}");
    write(
        folder.path(),
        "mine/root.scenario",
        scenario("mine/root", "", STEP),
    );
    write(
        folder.path(),
        "mine/Topic/deep.scenario",
        scenario("Topic/deep", "", &include),
    );
    write(folder.path(), "mine/setup.fragment", STEP);
    write(folder.path(), "mine/notes.txt", b"\xff");
    folder
}

fn messages(error: SuiteError) -> Vec<String> {
    match error {
        SuiteError::Mistakes(mistakes) => mistakes.into_iter().map(|one| one.message).collect(),
        other => panic!("{other}"),
    }
}

#[rstest]
#[case("mine", &["Topic/deep", "mine/root"])]
#[case("mine/Topic/deep.scenario", &["Topic/deep"])]
#[case("mine/root.scenario", &["mine/root"])]
fn is_read(#[case] path: &str, #[case] ids: &[&str]) {
    let folder = mine();
    let suite = Suite::find(folder.path().join(path).to_str().unwrap()).unwrap();
    let found: Vec<&str> = suite
        .scenarios
        .iter()
        .map(|one| one.id.node.as_str())
        .collect();
    assert_eq!(found, ids);
}

#[test]
fn an_id_belongs_to_one_scenario() {
    let folder = mine();
    let was = "was = [\"mine/root\"]\n";
    write(
        folder.path(),
        "mine/later.scenario",
        scenario("mine/later", was, STEP),
    );
    let error = Suite::read(&folder.path().join("mine")).unwrap_err();
    assert_eq!(error.to_string(), "1 mistake in the scenario files");
    assert_eq!(
        messages(error),
        ["a second scenario with the id \"mine/root\""]
    );
}

#[test]
fn mistakes_of_all_files_are_told_and_those_of_a_fragment_once() {
    let folder = mine();
    write(
        folder.path(),
        "mine/setup.fragment",
        "$ varlink call a.b.C\n",
    );
    let include = format!("@include \"setup.fragment\"\n\n{STEP}");
    write(
        folder.path(),
        "mine/other.scenario",
        scenario("mine/other", "", &include),
    );
    write(folder.path(), "mine/binary.scenario", b"---\n\xff");
    write(
        folder.path(),
        "mine/misplaced.scenario",
        scenario("mine/elsewhere", "", STEP),
    );
    let error = Suite::read(&folder.path().join("mine")).unwrap_err();
    let expected = [
        "the file is not UTF-8",
        "a call without an expectation",
        "the id \"mine/elsewhere\" is not the file's place",
    ];
    assert_eq!(messages(error), expected);
}

#[rstest]
#[case("nowhere", "no suite named")]
#[case("empty", "no scenario in")]
fn a_place_without_scenarios_is_an_error(#[case] path: &str, #[case] message: &str) {
    let folder = mine();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let error = Suite::find(folder.path().join(path).to_str().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with(message), "{error}");
}
