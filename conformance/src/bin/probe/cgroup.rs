//! The limits that this process lives under, as the control files below /sys/fs/cgroup say in both versions.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::json::Json;

/// Where hosts and containers have their control files.
const ROOT: &str = "/sys/fs/cgroup";

/// A limit: its name here, the files that may keep it in version 1 and in version 2, and what of a file is meant.
type Limit = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    Part,
);

/// What of a control file is meant.
#[derive(Clone, Copy)]
enum Part {
    /// All of it.
    Whole,
    /// In version 2 the word with this number of the only line.
    Word(usize),
    /// The figure after `default`, where there is one.
    Default,
    /// The lines for single devices, `MAJOR:MINOR FIGURE`.
    Devices,
    /// The figure after this word of a line of two.
    Named(&'static str),
    /// In version 2 the figure after this word and `=` of each line, as `MAJOR:MINOR FIGURE`.
    Key(&'static str),
}

const LIMITS: [Limit; 21] = [
    (
        "memory_limit",
        &["memory.limit_in_bytes"],
        &["memory.max"],
        Part::Whole,
    ),
    (
        "memory_reservation",
        &["memory.soft_limit_in_bytes"],
        &["memory.low"],
        Part::Whole,
    ),
    (
        "memory_swap_limit",
        &["memory.memsw.limit_in_bytes"],
        &["memory.swap.max"],
        Part::Whole,
    ),
    (
        "memory_swappiness",
        &["memory.swappiness"],
        &[],
        Part::Whole,
    ),
    (
        "kernel_memory",
        &["memory.kmem.limit_in_bytes"],
        &[],
        Part::Whole,
    ),
    ("oom_control", &["memory.oom_control"], &[], Part::Whole),
    ("pids_limit", &["pids.max"], &["pids.max"], Part::Whole),
    ("cpu_shares", &["cpu.shares"], &["cpu.weight"], Part::Whole),
    (
        "cpu_quota",
        &["cpu.cfs_quota_us"],
        &["cpu.max"],
        Part::Word(0),
    ),
    (
        "cpu_period",
        &["cpu.cfs_period_us"],
        &["cpu.max"],
        Part::Word(1),
    ),
    (
        "throttled",
        &["cpu.stat"],
        &["cpu.stat"],
        Part::Named("nr_throttled"),
    ),
    ("cpu_rt_period", &["cpu.rt_period_us"], &[], Part::Whole),
    ("cpu_rt_runtime", &["cpu.rt_runtime_us"], &[], Part::Whole),
    (
        "cpuset_cpus",
        &["cpuset.cpus"],
        &["cpuset.cpus"],
        Part::Whole,
    ),
    (
        "cpuset_mems",
        &["cpuset.mems"],
        &["cpuset.mems"],
        Part::Whole,
    ),
    (
        "blkio_weight",
        &["blkio.weight", "blkio.bfq.weight"],
        &["io.weight", "io.bfq.weight"],
        Part::Default,
    ),
    (
        "blkio_weight_device",
        &["blkio.weight_device", "blkio.bfq.weight_device"],
        &["io.weight", "io.bfq.weight"],
        Part::Devices,
    ),
    (
        "read_bps",
        &["blkio.throttle.read_bps_device"],
        &["io.max"],
        Part::Key("rbps"),
    ),
    (
        "write_bps",
        &["blkio.throttle.write_bps_device"],
        &["io.max"],
        Part::Key("wbps"),
    ),
    (
        "read_iops",
        &["blkio.throttle.read_iops_device"],
        &["io.max"],
        Part::Key("riops"),
    ),
    (
        "write_iops",
        &["blkio.throttle.write_iops_device"],
        &["io.max"],
        Part::Key("wiops"),
    ),
];

/// All of them; no limit is null.
pub(crate) fn limits() -> Json {
    let unified = Path::new(ROOT).join("cgroup.controllers").exists();
    let mut members = vec![(
        "version".to_owned(),
        Json::Number(if unified { 2 } else { 1 }),
    )];
    members.extend(LIMITS.map(|(name, v1, v2, part)| {
        let files = if unified { v2 } else { v1 };
        let mut files = files.iter().flat_map(|file| find(file, unified));
        let value = files.find_map(|path| pick(&read(&path)?, part, unified));
        (name.to_owned(), value.map_or(Json::Null, figure))
    }));
    let own = fs::read_to_string("/proc/self/cgroup");
    members.push(("own".to_owned(), own.map_or(Json::Null, Json::Text)));
    Json::Object(members)
}

fn read(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Where the file may be: in one of the hierarchies of version 1, whatever each is called.
fn find(file: &str, unified: bool) -> Vec<PathBuf> {
    if unified {
        return vec![Path::new(ROOT).join(file)];
    }
    let hierarchies = fs::read_dir(ROOT).into_iter().flatten().flatten();
    hierarchies.map(|h| h.path().join(file)).collect()
}

fn pick(text: &str, part: Part, unified: bool) -> Option<String> {
    match part {
        Part::Word(n) if unified => text.split_whitespace().nth(n).map(str::to_owned),
        Part::Whole | Part::Word(_) => Some(text.to_owned()),
        Part::Default => {
            let line = text.lines().find(|line| !line.contains(':'))?;
            Some(line.strip_prefix("default ").unwrap_or(line).to_owned())
        }
        Part::Named(name) => {
            let figure = |line: &str| {
                line.strip_prefix(name)?
                    .strip_prefix(' ')
                    .map(str::to_owned)
            };
            text.lines().find_map(figure)
        }
        Part::Key(key) if unified => lines(text, |line| {
            let (device, figures) = line.split_once(' ')?;
            let mut figures = figures.split(' ').filter_map(|f| f.split_once('='));
            let (_, figure) = figures.find(|(name, figure)| *name == key && *figure != "max")?;
            Some(format!("{device} {figure}"))
        }),
        Part::Devices | Part::Key(_) => {
            lines(text, |line| line.contains(':').then(|| line.to_owned()))
        }
    }
}

fn lines(text: &str, keep: impl Fn(&str) -> Option<String>) -> Option<String> {
    let kept: Vec<String> = text.lines().filter_map(keep).collect();
    (!kept.is_empty()).then(|| kept.join("\n"))
}

fn figure(text: String) -> Json {
    match text.as_str() {
        "max" => Json::Null,
        number => number.parse().map_or(Json::Text(text), Json::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(text: &str, part: Part, unified: bool) -> Option<String> {
        pick(text, part, unified)
    }

    #[test]
    fn both_versions_are_read_alike() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(picked("50000", Part::Word(0), false), some("50000"));
        assert_eq!(picked("50000 100000", Part::Word(1), true), some("100000"));
        assert_eq!(
            picked("default 100\n8:0 200", Part::Default, true),
            some("100")
        );
        assert_eq!(
            picked("default 100\n8:0 200", Part::Devices, true),
            some("8:0 200")
        );
        assert_eq!(picked("500", Part::Default, false), some("500"));
        assert_eq!(
            picked("8:0 5\n8:16 7", Part::Key("rbps"), false),
            some("8:0 5\n8:16 7")
        );
        let max = "8:0 rbps=5 wbps=max riops=7 wiops=max";
        assert_eq!(picked(max, Part::Key("riops"), true), some("8:0 7"));
        assert_eq!(picked(max, Part::Key("wbps"), true), None);
        assert_eq!(picked("", Part::Key("rbps"), false), None);
        let stat = "nr_periods 9\nnr_throttled 7\nnr_throttled_more 1";
        assert_eq!(picked(stat, Part::Named("nr_throttled"), true), some("7"));
        assert_eq!(
            picked("nr_periods 9", Part::Named("nr_throttled"), true),
            None
        );
    }
}
