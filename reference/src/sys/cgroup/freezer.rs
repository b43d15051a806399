//! The freezer: holds every process of a group where it is, in both versions.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Hierarchies, control::put};

/// Whether the processes of a group make progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// They may run.
    Thawed,
    /// They are to be frozen, but not all of them are yet.
    Freezing,
    /// None makes progress. In version 1 none dies either, not even of SIGKILL.
    Frozen,
}

/// The freezer of one group.
#[derive(Debug)]
pub struct Freezer {
    group: PathBuf,
    files: &'static Files,
}

/// How a version of cgroups names things.
#[derive(Debug)]
struct Files {
    /// What is written to.
    request: &'static str,
    frozen: &'static str,
    thawed: &'static str,
}

const VERSION_1: Files = Files {
    request: "freezer.state",
    frozen: "FROZEN",
    thawed: "THAWED",
};
const VERSION_2: Files = Files {
    request: "cgroup.freeze",
    frozen: "1",
    thawed: "0",
};

impl Freezer {
    /// The freezer of the group at `path`; `None` if there is no such group, or the host has no freezer.
    ///
    /// # Errors
    /// If the host's hierarchies cannot be read.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let mut groups = Hierarchies::of_host()?.groups(path);
        Ok(groups.find_map(|group| Self::at(&group)))
    }

    /// The freezer of a group's directory, if it has one.
    pub(super) fn at(group: &Path) -> Option<Self> {
        let files = [&VERSION_1, &VERSION_2];
        let files = files.into_iter().find(|f| group.join(f.request).exists())?;
        Some(Self {
            group: group.to_owned(),
            files,
        })
    }

    /// The group's directory.
    pub(super) fn group(&self) -> &Path {
        &self.group
    }

    /// Asks the kernel to freeze the group; [`Freezer::progress`] tells when it is done.
    ///
    /// # Errors
    /// If the group is gone.
    pub fn freeze(&self) -> io::Result<()> {
        self.write(self.files.frozen)
    }

    /// Lets the processes go on.
    ///
    /// # Errors
    /// If the group is gone.
    pub fn thaw(&self) -> io::Result<()> {
        self.write(self.files.thawed)
    }

    /// How far it is.
    ///
    /// # Errors
    /// If the group is gone.
    pub fn progress(&self) -> io::Result<Progress> {
        let request = fs::read_to_string(self.group.join(self.files.request))?;
        match request.trim() {
            "FROZEN" => Ok(Progress::Frozen),
            "FREEZING" => Ok(Progress::Freezing),
            "1" => {
                let events = fs::read_to_string(self.group.join("cgroup.events"))?;
                let frozen = events.lines().any(|line| line.trim() == "frozen 1");
                Ok(if frozen {
                    Progress::Frozen
                } else {
                    Progress::Freezing
                })
            }
            _ => Ok(Progress::Thawed),
        }
    }

    fn write(&self, value: &str) -> io::Result<()> {
        put(&self.group.join(self.files.request), value)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tempfile::TempDir;

    use super::*;

    /// A group's directory as the kernel shows it.
    fn group(files: &[(&str, &str)]) -> TempDir {
        let group = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(group.path().join(name), text).unwrap();
        }
        group
    }

    #[rstest]
    #[case::version_1_thawed(&[("freezer.state", "THAWED\n")], Progress::Thawed)]
    #[case::version_1_on_the_way(&[("freezer.state", "FREEZING\n")], Progress::Freezing)]
    #[case::version_1_frozen(&[("freezer.state", "FROZEN\n")], Progress::Frozen)]
    #[case::version_2_thawed(&[("cgroup.freeze", "0\n"), ("cgroup.events", "populated 1\nfrozen 0\n")], Progress::Thawed)]
    #[case::version_2_on_the_way(&[("cgroup.freeze", "1\n"), ("cgroup.events", "populated 1\nfrozen 0\n")], Progress::Freezing)]
    #[case::version_2_frozen(&[("cgroup.freeze", "1\n"), ("cgroup.events", "populated 1\nfrozen 1\n")], Progress::Frozen)]
    fn progress_is_read(#[case] files: &[(&str, &str)], #[case] wanted: Progress) {
        let group = group(files);
        let freezer = Freezer::at(group.path()).unwrap();
        assert_eq!(freezer.progress().unwrap(), wanted);
    }

    #[rstest]
    #[case::version_1("freezer.state", "FROZEN", "THAWED")]
    #[case::version_2("cgroup.freeze", "1", "0")]
    fn each_version_is_asked_in_its_words(
        #[case] file: &str,
        #[case] frozen: &str,
        #[case] thawed: &str,
    ) {
        let group = group(&[(file, "")]);
        let freezer = Freezer::at(group.path()).unwrap();
        let written = || fs::read_to_string(group.path().join(file)).unwrap();
        freezer.freeze().unwrap();
        assert_eq!(written(), frozen);
        freezer.thaw().unwrap();
        assert_eq!(written(), thawed);
    }

    #[test]
    fn a_group_without_a_freezer_has_none_and_gets_none() {
        let group = group(&[("memory.stat", "")]);
        assert!(Freezer::at(group.path()).is_none());
        let gone = Freezer {
            group: group.path().to_owned(),
            files: &VERSION_2,
        };
        assert!(gone.freeze().is_err() && gone.progress().is_err());
        assert!(!group.path().join("cgroup.freeze").exists());
    }
}
