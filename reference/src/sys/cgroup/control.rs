//! Control files: writes a figure to the one that a group has for it, and looks whether the kernel keeps it.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::Hierarchies;

/// What the kernel rounds limits of memory down to.
const PAGE: u64 = 4096;

/// A figure and the control file for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The file's name, which is the same in the group's directory of every host of that version.
    pub file: &'static str,
    /// What is written.
    pub value: String,
}

/// Why a figure is not in force.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The kernel has no such control, or its controller is not enabled.
    #[error("the host's cgroups have no {0}")]
    Absent(&'static str),
    /// The kernel's answer to the write.
    #[error("the kernel refuses it ({file})")]
    Refused {
        /// The control file.
        file: &'static str,
        /// The kernel's error.
        source: io::Error,
    },
    /// The write had no effect, as with controls that the kernel has given up.
    #[error("the kernel does not keep it ({file} is {found:?})")]
    NotKept {
        /// The control file.
        file: &'static str,
        /// What it holds.
        found: String,
    },
}

/// Writes the first figure whose control file the group at `path` has.
///
/// # Errors
/// If it has none of the files, or the figure is not in force.
pub fn set(path: &Path, choices: &[Control]) -> Result<(), ControlError> {
    let groups: Vec<PathBuf> = match Hierarchies::of_host() {
        Ok(host) => host.groups(path).collect(),
        Err(_) => Vec::new(),
    };
    set_in(&groups, choices)
}

fn set_in(groups: &[PathBuf], choices: &[Control]) -> Result<(), ControlError> {
    for Control { file, value } in choices {
        let mut files = groups.iter().map(|group| group.join(file));
        if let Some(path) = files.find(|path| path.exists()) {
            return write(&path, file, value);
        }
    }
    let first = choices.first().map_or("control for it", |first| first.file);
    Err(ControlError::Absent(first))
}

fn write(path: &Path, file: &'static str, value: &str) -> Result<(), ControlError> {
    let refused = |source| ControlError::Refused { file, source };
    // Not `fs::write`, which would make a file that is not there.
    let mut control = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .map_err(refused)?;
    control.write_all(value.as_bytes()).map_err(refused)?;
    match fs::read_to_string(path) {
        Ok(found) if !is_kept(value, &found) => Err(ControlError::NotKept {
            file,
            found: found.trim().to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether the file says what was written. Only figures can be compared: `-1` and lists of numbers have more than one spelling.
fn is_kept(written: &str, found: &str) -> bool {
    let words = written.split([' ', '=']);
    if !words.clone().all(|word| word.parse::<u64>().is_ok()) {
        return true;
    }
    let same = |found: &str, written: &str| match (found.parse::<u64>(), written.parse::<u64>()) {
        (Ok(found), Ok(written)) => found <= written && written - found < PAGE,
        _ => false,
    };
    let holds = |line: &str, word| line.split([' ', '=']).any(|found| same(found, word));
    found
        .lines()
        .any(|line| words.clone().all(|word| holds(line, word)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn control(file: &'static str, value: &str) -> Control {
        Control {
            file,
            value: value.into(),
        }
    }

    #[test]
    fn the_first_file_that_is_there_is_written_whatever_group_has_it() {
        let home = tempfile::tempdir().unwrap();
        let groups = ["cpu", "blkio"].map(|name| home.path().join(name));
        for group in &groups {
            fs::create_dir(group).unwrap();
        }
        fs::write(groups[1].join("blkio.bfq.weight"), "500").unwrap();
        let choices = [
            control("blkio.weight", "10"),
            control("blkio.bfq.weight", "20"),
        ];
        set_in(&groups, &choices).unwrap();
        let written = fs::read_to_string(groups[1].join("blkio.bfq.weight")).unwrap();
        assert_eq!(written, "20");
        assert!(!groups[0].join("blkio.weight").exists());
    }

    #[test]
    fn a_control_that_is_not_there_is_named() {
        let error = set_in(
            &[PathBuf::from("/nowhere")],
            &[control("io.max", "8:0 rbps=1")],
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "the host's cgroups have no io.max"
        );
    }

    #[rstest]
    #[case::same("37", "37\n", true)]
    #[case::whole_pages("16777217", "16777216\n", true)]
    #[case::given_up("16777216", "9223372036854771712\n", false)]
    #[case::cut("300000", "262144\n", false)]
    #[case::among_others("1", "oom_kill_disable 1\nunder_oom 0\n", true)]
    #[case::unlimited("-1", "9223372036854771712\n", true)]
    #[case::of_a_device("8:0 100", "8:0 100\n", true)]
    #[case::combined("50000 100000", "50000 100000\n", true)]
    #[case::combined_and_not_kept("50000 100000", "max 100000\n", false)]
    #[case::a_list("0-1", "0-1\n", true)]
    fn a_figure_is_kept_where_the_file_says_so(
        #[case] written: &str,
        #[case] found: &str,
        #[case] kept: bool,
    ) {
        assert_eq!(is_kept(written, found), kept);
    }
}
