//! Suites: trees of scenario files, inside the binary or on disk.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::{ast::Scenario, mistake::Mistake};

/// The suites that ship in the binary.
static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/suites");

/// The names of the suites that ship in the binary.
pub const NAMES: [&str; 2] = ["podman", "varlink"];

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
    #[error("cannot read {path}")]
    Read {
        /// What could not be read.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No suite of this name ships in the binary.
    #[error("no suite named \"{0}\" ships with this program, and no such directory exists")]
    Unknown(String),
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
        EMBEDDED
            .get_dir(name)
            .map(|_| Self {
                name: name.to_owned(),
                scenarios: Vec::new(),
            })
            .ok_or_else(|| SuiteError::Unknown(name.to_owned()))
    }

    /// The suite in a directory, or the single scenario in a file.
    ///
    /// # Errors
    /// It cannot be read, or it has mistakes.
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        std::fs::metadata(path).map_err(|source| SuiteError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            name: path.display().to_string(),
            scenarios: Vec::new(),
        })
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
