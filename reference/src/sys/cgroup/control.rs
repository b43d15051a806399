//! Control files: writes a figure to the one that a group has for it, and looks whether the kernel keeps it.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Hierarchies, usage::UNLIMITED};

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
    put(path, value).map_err(|source| ControlError::Refused { file, source })?;
    match fs::read_to_string(path) {
        Ok(found) if !is_kept(file, value, &found) => Err(ControlError::NotKept {
            file,
            found: found.trim().to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Writes to a control file that is there.
pub(super) fn put(path: &Path, value: &str) -> io::Result<()> {
    // Not `fs::write`, which would make a file that is not there.
    let mut control = OpenOptions::new().write(true).truncate(true).open(path)?;
    control.write_all(value.as_bytes())
}

/// Whether a file says what was written to it: for a device in that device's line, else in the first one.
fn is_kept(file: &str, written: &str, found: &str) -> bool {
    let of_device = written.split_once(' ').filter(|(d, _)| d.contains(':'));
    let (line, wanted) = match of_device {
        Some((device, wanted)) => {
            let rest = |line: &str| Some(line.strip_prefix(device)?.strip_prefix(' ')?.to_owned());
            (found.lines().find_map(rest), wanted)
        }
        None => (found.lines().next().map(str::to_owned), written),
    };
    let said = |word, line: &str| line.split(' ').any(|found| is_same(file, word, found));
    line.is_some_and(|line| wanted.split(' ').all(|word| said(word, &line)))
}

/// Whether two words mean the same: the kernel rounds, merges lists, and has several words for "unlimited".
fn is_same(file: &str, written: &str, found: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    match (written, number(written), number(found)) {
        _ if written == found => true,
        ("-1" | "max", _, Some(found)) => found >= UNLIMITED,
        (_, Some(written), Some(found)) if is_in_bytes(file) => {
            found <= written && written - found < PAGE
        }
        _ if file.starts_with("cpuset.") => {
            members(written).is_some_and(|list| members(found) == Some(list))
        }
        _ => false,
    }
}

fn is_in_bytes(file: &str) -> bool {
    file.ends_with("_in_bytes") || ["memory.max", "memory.low", "memory.swap.max"].contains(&file)
}

/// The numbers of a list such as `0-2,4`.
fn members(list: &str) -> Option<BTreeSet<u16>> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    let ranges: Option<Vec<_>> = list.split(',').map(range).collect();
    Some(ranges?.into_iter().flatten().collect())
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
    #[case::same("pids.max", "37", "37\n", true)]
    #[case::other("pids.max", "37", "36\n", false)]
    #[case::nothing("pids.max", "37", "", false)]
    #[case::whole_pages("memory.max", "16777217", "16777216\n", true)]
    #[case::less_than_whole_pages("memory.max", "16777217", "16773120\n", false)]
    #[case::given_up(
        "memory.kmem.limit_in_bytes",
        "16777216",
        "9223372036854771712\n",
        false
    )]
    #[case::cut("cpu.shares", "300000", "262144\n", false)]
    #[case::after_its_name("memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0\n", true)]
    #[case::beside_its_name("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 1\n", false)]
    #[case::no_bytes("memory.swappiness", "30", "0\n", false)]
    #[case::unlimited_as_a_number(
        "memory.memsw.limit_in_bytes",
        "-1",
        "9223372036854771712\n",
        true
    )]
    #[case::unlimited_as_it_is("cpu.cfs_quota_us", "-1", "-1\n", true)]
    #[case::not_unlimited("cpu.cfs_quota_us", "-1", "50000\n", false)]
    #[case::unlimited_as_a_word("memory.swap.max", "max", "max\n", true)]
    #[case::limited_all_the_same("memory.swap.max", "max", "16777216\n", false)]
    #[case::combined("cpu.max", "50000 100000", "50000 100000\n", true)]
    #[case::combined_and_not_kept("cpu.max", "50000 100000", "max 100000\n", false)]
    #[case::a_list("cpuset.cpus", "1,0", "0-1\n", true)]
    #[case::another_list("cpuset.cpus", "0-1", "0-2\n", false)]
    #[case::no_list("cpuset.cpus", "0", "\n", false)]
    #[case::for_all_devices("io.weight", "300", "default 300\n8:0 100\n", true)]
    #[case::for_a_device("io.weight", "8:0 100", "default 300\n8:0 100\n", true)]
    #[case::for_another_device("io.weight", "8:0 100", "default 100\n8:01 100\n8:16 100\n", false)]
    #[case::one_of_several(
        "io.max",
        "8:0 wbps=5",
        "8:0 rbps=max wbps=5 riops=max wiops=max\n",
        true
    )]
    #[case::another_of_several(
        "io.max",
        "8:0 rbps=5",
        "8:0 rbps=max wbps=5 riops=max wiops=max\n",
        false
    )]
    #[case::no_device("io.max", "8:0 rbps=5", "", false)]
    fn a_figure_is_kept_where_the_file_says_so(
        #[case] file: &str,
        #[case] written: &str,
        #[case] found: &str,
        #[case] kept: bool,
    ) {
        assert_eq!(is_kept(file, written, found), kept);
    }
}
