//! Suites: trees of scenario files, inside the binary or on disk.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use include_dir::{Dir, DirEntry, include_dir};

use super::{
    ast::{Scenario, SourceFile},
    mistake::Mistake,
    parse::{Fragments, parse_scenario},
};

/// The suites that ship in the binary.
static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/suites");

/// The names of the suites that ship in the binary.
pub const NAMES: [&str; 2] = ["podman", "varlink"];

/// How deep directories may nest.
const DEPTH: usize = 16;

/// The scenarios of one tree.
#[derive(Debug)]
pub struct Suite {
    /// Its name: that of the shipped suite, or the directory's.
    pub name: String,
    /// Its scenarios, sorted by id.
    pub scenarios: Vec<Scenario>,
}

/// Why a suite cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// The directory or file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No suite of this name ships in the binary.
    #[error("no suite named \"{0}\" ships with this program, and no such file or directory exists")]
    Unknown(String),
    /// The directory holds no scenario.
    #[error("no scenario in {}", .0.display())]
    Empty(PathBuf),
    /// Files have mistakes; all of them, in the order of the files.
    #[error("{} in the scenario files", mistakes(.0.len()))]
    Mistakes(Vec<Mistake>),
}

fn mistakes(count: usize) -> String {
    match count {
        1 => "1 mistake".to_owned(),
        _ => format!("{count} mistakes"),
    }
}

impl Suite {
    /// A suite that ships in the binary.
    ///
    /// # Errors
    /// There is none of this name, or it has mistakes.
    pub fn shipped(name: &str) -> Result<Self, SuiteError> {
        let folder = EMBEDDED.get_dir(name);
        let folder = folder.ok_or_else(|| SuiteError::Unknown(name.to_owned()))?;
        let mut tree = Tree::default();
        tree.add_embedded(folder);
        tree.suite(name.to_owned(), Path::new(name))
    }

    /// The suite in a directory, or the single scenario in a file.
    ///
    /// # Errors
    /// It cannot be read, or it has mistakes.
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        let failed = |source| SuiteError::Read {
            path: path.to_owned(),
            source,
        };
        let whole = fs::canonicalize(path).map_err(failed)?;
        let is_file = whole.is_file();
        let folder = if is_file {
            whole.parent().unwrap_or(&whole)
        } else {
            &whole
        };
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut tree = Tree {
            on_disk: true,
            ..Tree::default()
        };
        match is_file {
            true => tree.add_file(&whole)?,
            false => tree.add_folder(&whole, 0)?,
        }
        tree.suite(name, path)
    }

    /// A shipped suite by its name, else the suite at that path.
    ///
    /// # Errors
    /// There is neither, or it has mistakes.
    pub fn find(name: &str) -> Result<Self, SuiteError> {
        if NAMES.contains(&name) {
            return Self::shipped(name);
        }
        match Path::new(name).exists() {
            true => Self::read(Path::new(name)),
            false => Err(SuiteError::Unknown(name.to_owned())),
        }
    }
}

/// The files of a suite by path.
#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<PathBuf, Arc<SourceFile>>,
    /// Paths that are no scenario files although they are named so.
    mistakes: Vec<Mistake>,
    /// Fragments may lie outside of what was read.
    on_disk: bool,
}

impl Fragments for Tree {
    fn open(&self, path: &Path) -> Result<Arc<SourceFile>, String> {
        if let Some(file) = self.files.get(path) {
            return Ok(Arc::clone(file));
        }
        if !self.on_disk {
            return Err("no such file in the suite".to_owned());
        }
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        Ok(SourceFile::new(path, text))
    }
}

impl Tree {
    fn add_embedded(&mut self, folder: &Dir<'_>) {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(folder) => self.add_embedded(folder),
                DirEntry::File(file) => self.add(file.path(), file.contents()),
            }
        }
    }

    /// Adds the files of a directory; a symbolic link is followed to a file, not to a directory,
    /// so that a circle of links has an end.
    fn add_folder(&mut self, folder: &Path, depth: usize) -> Result<(), SuiteError> {
        let failed = |source| SuiteError::Read {
            path: folder.to_owned(),
            source,
        };
        let entries = fs::read_dir(folder).map_err(failed)?;
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() && depth < DEPTH {
                self.add_folder(&path, depth + 1)?;
            } else if is_named(&path, &["scenario", "fragment"]) && path.is_file() {
                self.add_file(&path)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), SuiteError> {
        let bytes = fs::read(path).map_err(|source| SuiteError::Read {
            path: path.to_owned(),
            source,
        })?;
        self.add(path, &bytes);
        Ok(())
    }

    fn add(&mut self, path: &Path, bytes: &[u8]) {
        match str::from_utf8(bytes) {
            Ok(text) => {
                self.files
                    .insert(path.to_owned(), SourceFile::new(path, text));
            }
            Err(error) if is_named(path, &["scenario", "fragment"]) => {
                let end = error.valid_up_to();
                let file = SourceFile::new(path, String::from_utf8_lossy(bytes));
                let mistake = Mistake::new(&file, end..end, "the file is not UTF-8");
                self.mistakes
                    .push(mistake.expected("expected text from here on"));
            }
            Err(_) => {}
        }
    }

    fn suite(self, name: String, path: &Path) -> Result<Suite, SuiteError> {
        let mut scenarios = Vec::new();
        let mut mistakes = self.mistakes.clone();
        let files = self
            .files
            .iter()
            .filter(|(path, _)| is_named(path, &["scenario"]));
        for (_, file) in files {
            match parse_scenario(file, &self) {
                Ok(scenario) => scenarios.push(scenario),
                Err(found) => mistakes.extend(found),
            }
        }
        mistakes.extend(repeated_ids(&scenarios));
        // A mistake in a fragment is found by every scenario that includes it.
        let mut known = HashSet::new();
        mistakes.retain(|one| {
            known.insert((one.file.path.clone(), one.span.clone(), one.message.clone()))
        });
        if !mistakes.is_empty() {
            return Err(SuiteError::Mistakes(mistakes));
        }
        if scenarios.is_empty() {
            return Err(SuiteError::Empty(path.to_owned()));
        }
        scenarios.sort_by(|left, right| left.id.node.cmp(&right.id.node));
        Ok(Suite { name, scenarios })
    }
}

fn is_named(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extensions.contains(&extension))
}

/// Ids, present and former, that two scenarios have.
fn repeated_ids(scenarios: &[Scenario]) -> Vec<Mistake> {
    let mut known: BTreeMap<&str, &Scenario> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for scenario in scenarios {
        let ids = scenario.was.iter().chain([&scenario.id.node]);
        for id in ids {
            if let Some(first) = known.insert(id, scenario) {
                let message = format!("a second scenario with the id {id:?}");
                let mistake = Mistake::new(&scenario.file, scenario.id.span.clone(), message);
                let also = mistake.also(&first.file, first.id.span.clone(), "first here");
                mistakes.push(also.expected("expected an id that no other scenario has or had"));
            }
        }
    }
    mistakes
}
