//! Whatever a scenario file holds, reading it ends, with a scenario or with mistakes that can be shown.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)] // helpers of tests

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rstest::rstest;
use varlink_conformance::scenario::{
    ast::SourceFile,
    captures::Captures,
    parse::{Fragments, parse_scenario},
};

/// Reproducible numbers (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// Every include finds the text that is being read.
struct Mirror(String);

impl Fragments for Mirror {
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String> {
        Ok(SourceFile::new(path, self.0.clone()))
    }
}

const SPICE: [&str; 32] = [
    "{{",
    "}}",
    "'",
    "\"",
    "\\",
    "'\\''",
    "{",
    "}",
    "[",
    "]",
    "@or\n",
    "@include \"x.fragment\"\n",
    "\n",
    "\r\n",
    "---\n",
    "$ ",
    "> ",
    "! ",
    "< ",
    "@background a\n",
    "@join a\n",
    "{{...}}",
    "{{a = any}}",
    "{{a}}",
    "{{json}}",
    "{{each}}",
    "{{repeat 'x' 9}}",
    "{{/",
    "/}}",
    "é",
    "\0",
    "[[cases]]\n",
];

fn scenarios(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenarios(&path, found);
        } else if path.extension().is_some_and(|extension| extension != "md") {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

fn place(dice: &mut Dice, text: &str) -> usize {
    let at = dice.roll(text.len() + 1);
    (at..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

fn mutate(dice: &mut Dice, text: &mut String) {
    let (one, other) = (place(dice, text), place(dice, text));
    let (start, end) = (one.min(other), one.max(other).min(one.min(other) + 40));
    let end = (end..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap();
    match dice.roll(4) {
        0 => text.insert_str(start, SPICE[dice.roll(SPICE.len())]),
        1 => text.replace_range(start..end, ""),
        2 => text.replace_range(start..end, SPICE[dice.roll(SPICE.len())]),
        _ => {
            let piece = text[start..end].to_owned();
            let at = place(dice, text);
            text.insert_str(at, &piece);
        }
    }
}

fn read(text: &str) {
    let file = SourceFile::new("suite/Topic/name.scenario", text);
    match parse_scenario(&file, &Mirror(text.to_owned())) {
        Ok(scenario) => assert!(!scenario.steps.is_empty()),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                let rendered = mistake.render();
                assert!(rendered.contains(':'), "{rendered}");
                assert!(rendered.contains("┌─"), "no excerpt: {rendered}");
            }
        }
    }
}

#[test]
fn mutated_scenarios_are_read_or_refused() {
    let mut texts = Vec::new();
    for folder in ["../fixtures/suites", "../fixtures/rejected"] {
        scenarios(
            &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut texts,
        );
    }
    texts.retain(|text| text.len() < 5_000);
    texts.sort();
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..2_000 {
        let mut text = texts[dice.roll(texts.len())].clone();
        for _ in 0..=dice.roll(6) {
            mutate(&mut dice, &mut text);
        }
        read(&text);
    }
}

#[rstest]
#[case::deep_array("$ varlink call a.b.C\n{ \"a\": ", "[", 100_000, "")]
#[case::deep_object("$ varlink call a.b.C\n", "{\"a\":", 100_000, "")]
#[case::deep_parameters("$ varlink call a.b.C '", "[", 100_000, "")]
#[case::many_braces("> ", "{{", 100_000, "")]
#[case::many_steps("", "$ varlink call a.b.C\n{}\n\n", 10_000, "")]
#[case::many_includes("", "@include \"x.fragment\"\n", 10_000, "")]
#[case::many_captures(
    "$ varlink call a.b.C\n{",
    "\"a\": \"{{a = int}}\",",
    10_000,
    "\"b\": 1 }\n"
)]
#[case::long_line("# ", "x", 900_000, "\n")]
#[case::many_not("$ varlink call a.b.C\n{ \"a\": \"{{", "not ", 200_000, "a}}\" }\n")]
#[case::many_gaps("$ varlink call a.b.C\n{ \"a\": [1", ",\"{{...}}\"", 50_000, "] }\n")]
fn hostile_text_is_read_in_time(
    #[case] start: &str,
    #[case] repeated: &str,
    #[case] times: usize,
    #[case] end: &str,
) {
    let head =
        "---\nid = \"Topic/name\"\nlevel = \"may\"\ncovers = [\"Topic-1\"]\n---\n# A title.\n";
    let begun = Instant::now();
    read(&format!("{head}{start}{}{end}", repeated.repeat(times)));
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "took {:?}",
        begun.elapsed()
    );
}

#[test]
fn a_hostile_reply_is_held_against_a_body_in_time() {
    let golden = r#"["{{unordered}}", {"a": "{{x = int}}"}, {"a": "{{y = int}}"}, {"b": "{{x}}"}, "{{...}}"]"#;
    let file = SourceFile::new("f", golden);
    let pattern = varlink_conformance::scenario::pattern::Pattern::parse(&file, 0..golden.len());
    let reply = serde_json::Value::from(vec![serde_json::json!({"a": 1}); 5_000]);
    let begun = Instant::now();
    assert!(
        pattern
            .unwrap()
            .meets(&reply, &mut Captures::new())
            .is_err()
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "took {:?}",
        begun.elapsed()
    );
}
