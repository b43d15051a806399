//! Holds the architecture: imports run left to right, siblings do not import each other, `unsafe` has one home,
//! and the suite shares no code with the engine.
#![expect(clippy::expect_used)] // helpers of tests

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A module may name modules of a higher rank, and its own.
const ENGINE: &[(&str, u8)] = &[
    ("api", 0),
    ("engine", 1),
    ("store", 2),
    ("registry", 2),
    ("runtime", 2),
    ("network", 2),
    ("monitor", 2),
    ("settings", 3),
    ("sys", 4),
];

/// The suite's modules: a run is made of scenarios; reports see events alone.
const SUITE: &[(&str, u8)] = &[
    ("cli", 0),
    ("runner", 1),
    ("mutate", 1),
    ("report", 1),
    ("baseline", 1),
    ("event", 2),
    ("spec", 2),
    ("endpoint", 2),
    ("scenario", 3),
    ("idl", 4),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is in the workspace")
        .to_owned()
}

/// Every Rust file below a directory: its path from there and its code without comments.
fn sources(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).expect("a readable directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path
                    .strip_prefix(directory)
                    .expect("below it")
                    .display()
                    .to_string();
                let text = fs::read_to_string(&path).expect("a readable file");
                // A file's unit tests stand at its end.
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or("");
                let code = text
                    .lines()
                    .map(|l| l.split("//").next().unwrap_or(""))
                    .collect::<Vec<_>>();
                found.push((name, code.join("\n")));
            }
        }
    }
    found
}

/// `runner/image.rs` and `runner.rs` belong to `runner`.
fn module(name: &str) -> &str {
    name.split('/')
        .next()
        .unwrap_or(name)
        .trim_end_matches(".rs")
}

/// The modules that a file names through `crate::`, also within `use crate::{a, b}`.
fn named(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| {
            text.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        match rest.strip_prefix('{') {
            None => modules.push(word(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut first = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => first = true,
                        c if first && !c.is_whitespace() => {
                            modules.push(word(&group[i..]));
                            first = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    modules
}

fn trespasses(crate_name: &str, ranks: &[(&str, u8)]) -> Vec<String> {
    let rank = |m: &str| {
        ranks
            .iter()
            .find(|(name, _)| *name == m)
            .map(|(_, rank)| *rank)
    };
    let mut found = Vec::new();
    for (file, code) in sources(&workspace().join(crate_name).join("src")) {
        let own = module(&file);
        let Some(from) = rank(own) else { continue };
        for target in named(&code) {
            if let Some(to) = rank(&target).filter(|to| target != own && *to <= from) {
                found.push(format!(
                    "{crate_name}/src/{file} ({own}, rank {from}) names {target} (rank {to})"
                ));
            }
        }
    }
    found
}

#[test]
fn the_engine_imports_from_left_to_right() {
    assert_eq!(trespasses("reference", ENGINE), Vec::<String>::new());
}

#[test]
fn the_suite_imports_from_left_to_right() {
    assert_eq!(trespasses("conformance", SUITE), Vec::<String>::new());
}

#[test]
fn below_the_api_nobody_names_varlink_or_json_values() {
    let offenders: Vec<String> = sources(&workspace().join("reference/src"))
        .into_iter()
        .filter(|(file, _)| {
            ENGINE
                .iter()
                .any(|(m, rank)| *rank > 0 && *m == module(file))
        })
        .filter(|(_, code)| code.contains("varlink::") || code.contains("serde_json::Value"))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(offenders, Vec::<String>::new());
}

#[test]
fn unsafe_code_lives_in_sys_and_in_the_probe() {
    for (crate_name, homes) in [
        ("reference", ["sys/", "sys.rs"]),
        ("conformance", ["bin/probe/", "bin/probe.rs"]),
    ] {
        let offenders: Vec<String> = sources(&workspace().join(crate_name).join("src"))
            .into_iter()
            .filter(|(file, _)| !homes.iter().any(|home| file.starts_with(home)))
            .filter(|(_, code)| code.contains("unsafe ") || code.contains("allow(unsafe_code)"))
            .map(|(file, _)| format!("{crate_name}/src/{file}"))
            .collect();
        assert_eq!(offenders, Vec::<String>::new());
    }
}

#[test]
fn the_suite_shares_no_code_with_the_engine() {
    for (crate_name, other) in [("conformance", "reference"), ("reference", "conformance")] {
        let manifest = fs::read_to_string(workspace().join(crate_name).join("Cargo.toml"))
            .expect("a manifest");
        assert!(
            !manifest.contains(&format!("path = \"../{other}\"")),
            "{crate_name} depends on {other}"
        );
    }
}

#[test]
fn every_source_file_has_its_line_in_architecture_md() {
    let page = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("a page");
    let mut folder = String::new();
    let mut told = Vec::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("### `") {
            folder = name.trim_end_matches('`').to_owned();
        } else if let Some((name, _)) = line
            .strip_prefix("| `")
            .and_then(|l| l.split_once(".rs` |"))
        {
            told.push(format!("{folder}/{name}.rs"));
        }
    }
    let mut there: Vec<String> = ["reference/src", "conformance/src"]
        .iter()
        .flat_map(|root| {
            sources(&workspace().join(root))
                .into_iter()
                .map(move |(file, _)| format!("{root}/{file}"))
        })
        .collect();
    told.sort();
    there.sort();
    assert_eq!(told, there);
}

#[test]
fn the_check_reads_groups_and_paths() {
    let code = "use crate::{engine::{self, Engine}, store};\nfn f() { crate::sys::now() }";
    assert_eq!(named(code), ["engine", "store", "sys"]);
}
