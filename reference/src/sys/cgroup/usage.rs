//! What the processes of a group use: processor, memory, disks, and how many they are, in both versions.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Hierarchies;

/// The figures of one group with those below it. What a host does not count is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, in nanoseconds.
    pub cpu: u64,
    /// The part of it that the kernel spent for them, in nanoseconds.
    pub system: u64,
    /// Memory that cannot be given back at once, in bytes.
    pub memory: u64,
    /// The most memory that they may use, in bytes; `None` without a limit.
    pub memory_limit: Option<u64>,
    /// Read from block devices, in bytes.
    pub block_read: u64,
    /// Written to block devices, in bytes.
    pub block_written: u64,
    /// Processes and threads.
    pub pids: u64,
}

impl Usage {
    /// Of the group at `path`; all 0 if it is not there.
    ///
    /// # Errors
    /// If the host's hierarchies cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let host = Hierarchies::of_host()?;
        let groups = Groups(host.groups(path).collect());
        Ok(groups.version_2().unwrap_or_else(|| groups.version_1()))
    }
}

/// The directories of one group.
struct Groups(Vec<PathBuf>);

impl Groups {
    /// A file that one of the directories has.
    fn read(&self, file: &str) -> Option<String> {
        let texts = self.0.iter().map(|group| group.join(file));
        texts
            .filter_map(|path| fs::read_to_string(path).ok())
            .next()
    }

    fn number(&self, file: &str) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }

    /// `None` on a host of version 1.
    fn version_2(&self) -> Option<Usage> {
        let cpu = self.read("cpu.stat")?;
        let microseconds = |key| Some(field(&cpu, key)?.saturating_mul(1000));
        let memory = self.read("memory.stat").unwrap_or_default();
        let used = self.number("memory.current").unwrap_or_default();
        let io = self.read("io.stat").unwrap_or_default();
        Some(Usage {
            cpu: microseconds("usage_usec")?,
            system: microseconds("system_usec").unwrap_or_default(),
            memory: used.saturating_sub(cache(&memory, "")),
            memory_limit: self.least_limit(),
            block_read: sum_io(&io, "rbytes="),
            block_written: sum_io(&io, "wbytes="),
            pids: self.number("pids.current").unwrap_or_default(),
        })
    }

    /// The least limit of a group and those above it: each of them holds.
    fn least_limit(&self) -> Option<u64> {
        let above = self.0.iter().flat_map(|group| group.ancestors());
        let limits = above.map(|group| fs::read_to_string(group.join("memory.max")));
        let limits = limits.filter_map(Result::ok);
        limits.filter_map(|text| text.trim().parse().ok()).min()
    }

    fn version_1(&self) -> Usage {
        let memory = self.read("memory.stat").unwrap_or_default();
        let used = self.number("memory.usage_in_bytes").unwrap_or_default();
        let io = self
            .read("blkio.throttle.io_service_bytes_recursive")
            .unwrap_or_default();
        Usage {
            cpu: self.number("cpuacct.usage").unwrap_or_default(),
            system: self.number("cpuacct.usage_sys").unwrap_or_default(),
            memory: used.saturating_sub(cache(&memory, "total_")),
            memory_limit: field(&memory, "hierarchical_memory_limit")
                .filter(|limit| *limit < UNLIMITED),
            block_read: sum_operations(&io, "Read"),
            block_written: sum_operations(&io, "Write"),
            pids: self.number("pids.current").unwrap_or_default(),
        }
    }
}

/// From here on a limit of version 1 is none: the largest number of pages, in bytes, whatever the size of a page.
pub(super) const UNLIMITED: u64 = i64::MAX.unsigned_abs() - (1 << 20);

/// `KEY NUMBER`, a line each.
fn field(text: &str, key: &str) -> Option<u64> {
    let number = |line: &str| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok();
    text.lines().find_map(number)
}

/// The page cache of files, of which the kernel drops what it needs.
fn cache(memory: &str, prefix: &str) -> u64 {
    let pages = ["inactive_file", "active_file"];
    let pages = pages
        .iter()
        .filter_map(|kind| field(memory, &format!("{prefix}{kind}")));
    pages.sum()
}

/// io.stat: `8:0 rbytes=1 wbytes=2 ...`, a line for each device.
fn sum_io(text: &str, key: &str) -> u64 {
    let words = text.split_ascii_whitespace();
    let numbers = words.filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok());
    numbers.sum()
}

/// `8:0 Read 1`, a line for each device and operation, then `Total 3`.
fn sum_operations(text: &str, operation: &str) -> u64 {
    let number = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        (words.next()? == operation).then(|| words.next()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(number).sum()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A host's tree: directories with files as the kernel shows them.
    fn tree(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn version_1_has_the_figures_in_several_hierarchies() {
        let root = tree(&[
            ("cpuacct/c/cpuacct.usage", "3000000\n"),
            ("cpuacct/c/cpuacct.usage_sys", "1000000\n"),
            ("memory/c/memory.usage_in_bytes", "1000\n"),
            (
                "memory/c/memory.stat",
                "inactive_file 1\nhierarchical_memory_limit 4096\ntotal_inactive_file 200\ntotal_active_file 300\n",
            ),
            (
                "blkio/c/blkio.throttle.io_service_bytes_recursive",
                "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:16 Read 1\n8:16 Write 2\nTotal 33\n",
            ),
            ("pids/c/pids.current", "4\n"),
        ]);
        let groups = ["cpuacct", "memory", "blkio", "pids", "freezer"];
        let groups = Groups(groups.map(|one| root.path().join(one).join("c")).into());
        assert!(groups.version_2().is_none());
        let wanted = Usage {
            cpu: 3_000_000,
            system: 1_000_000,
            memory: 500,
            memory_limit: Some(4096),
            block_read: 11,
            block_written: 22,
            pids: 4,
        };
        assert_eq!(groups.version_1(), wanted);
    }

    #[test]
    fn version_1_without_a_limit_has_a_large_number() {
        let root = tree(&[(
            "memory.stat",
            "hierarchical_memory_limit 9223372036854771712\n",
        )]);
        let groups = Groups(vec![root.path().to_owned()]);
        assert_eq!(groups.version_1(), Usage::default());
    }

    #[test]
    fn version_2_has_the_figures_in_one_place_and_the_limits_above_hold_too() {
        let root = tree(&[
            ("p/memory.max", "8192\n"),
            ("p/c/memory.max", "max\n"),
            (
                "p/c/cpu.stat",
                "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\n",
            ),
            ("p/c/memory.current", "1000\n"),
            (
                "p/c/memory.stat",
                "anon 400\ninactive_file 200\nactive_file 300\n",
            ),
            (
                "p/c/io.stat",
                "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2 rios=1\n",
            ),
            ("p/c/pids.current", "4\n"),
        ]);
        let groups = Groups(vec![root.path().join("p/c")]);
        let wanted = Usage {
            cpu: 3_000_000,
            system: 1_000_000,
            memory: 500,
            memory_limit: Some(8192),
            block_read: 11,
            block_written: 22,
            pids: 4,
        };
        assert_eq!(groups.version_2(), Some(wanted));
    }

    #[test]
    fn a_group_that_is_gone_uses_nothing() {
        let root = tree(&[]);
        let groups = Groups(vec![root.path().join("c")]);
        assert!(groups.version_2().is_none());
        assert_eq!(groups.version_1(), Usage::default());
    }
}
