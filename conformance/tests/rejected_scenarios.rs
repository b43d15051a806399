//! Every file in `fixtures/rejected` is refused with the message that stands beside it.
//!
//! After a deliberate change, `UPDATE_EXPECTED=1 cargo test --test rejected_scenarios` writes the messages anew.
#![expect(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use varlink_conformance::scenario::{
    ast::SourceFile,
    parse::{Fragments, parse_scenario},
};

/// `fixtures`, so that the paths shown begin with `rejected`.
struct Fixtures(PathBuf);

impl Fragments for Fixtures {
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|_| "no such file".to_owned())?;
        Ok(SourceFile::new(path, text))
    }
}

impl Fixtures {
    fn new() -> Self {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        Self(fixtures.canonicalize().unwrap())
    }

    fn messages(&self, name: &str) -> String {
        let file = self.open(&Path::new("rejected").join(name)).unwrap();
        match parse_scenario(&file, self) {
            Ok(_) => panic!("{name} was accepted"),
            Err(mistakes) => mistakes.iter().map(|mistake| mistake.render()).collect(),
        }
    }

    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.0.join("rejected")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".scenario")).collect()
    }
}

#[test]
fn each_is_refused_with_its_message() {
    let fixtures = Fixtures::new();
    let names = fixtures.names();
    assert!(names.len() > 25);
    let mut wrong = Vec::new();
    for name in names {
        let beside = fixtures
            .0
            .join("rejected")
            .join(&name)
            .with_extension("expected");
        let messages = fixtures.messages(&name);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &messages).unwrap();
        } else if fs::read_to_string(&beside).unwrap_or_default() != messages {
            wrong.push(format!("{name}:\n{messages}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_message_can_be_coloured() {
    let fixtures = Fixtures::new();
    let file = fixtures
        .open(Path::new("rejected/unknown-level.scenario"))
        .unwrap();
    let mistakes = parse_scenario(&file, &fixtures).unwrap_err();
    assert!(mistakes[0].render_coloured().contains("\u{1b}[0m\u{1b}[1m"));
}
