//! What the daemon and a monitor keep in memory.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::{daemon::Daemon, table::Table};

pub fn measure(daemon: &Daemon, table: &mut Table) {
    let mut client = daemon.client();
    table.figure(
        "daemon RSS, idle",
        resident(daemon.pid()),
        "MB",
        None,
        "<= 12 MB",
    );
    for _ in 0..10_000 {
        client.call("ListImages", &json!({}));
    }
    table.figure(
        "daemon RSS, after 10,000 calls",
        resident(daemon.pid()),
        "MB",
        None,
        "",
    );
    // Of several: what the first alone maps, all of them share.
    for _ in 0..5 {
        let id = daemon.create(&mut client, &["sleep"]);
        client.call("StartContainer", &json!({ "name": id }));
    }
    if let Some(pid) = zygote(daemon) {
        table.figure("zygote, private", private(pid), "MB", None, "");
    }
    if let Some(pid) = monitors(daemon).last() {
        table.figure(
            "monitor, private, one of 5",
            private(*pid),
            "MB",
            None,
            "<= 1.5 MB",
        );
    }
}

/// Processes of this daemon's program, other than itself, that name its folder.
fn monitors(daemon: &Daemon) -> Vec<u32> {
    let home = daemon.home().display().to_string();
    pids()
        .filter(|pid| *pid != daemon.pid() && *pid != std::process::id())
        .filter(|pid| command(*pid).contains(&home))
        .collect()
}

/// What the daemon forks monitors from.
fn zygote(daemon: &Daemon) -> Option<u32> {
    let is_child = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        parent.is_some_and(|parent| parent.trim() == daemon.pid().to_string())
    };
    pids()
        .filter(is_child)
        .find(|pid| command(*pid).split('\0').nth(1) == Some("monitors"))
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn command(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn resident(pid: u32) -> f64 {
    sum(&format!("/proc/{pid}/status").into(), &["VmRSS:"])
}

fn private(pid: u32) -> f64 {
    sum(
        &format!("/proc/{pid}/smaps_rollup").into(),
        &["Private_Clean:", "Private_Dirty:"],
    )
}

/// The sum of these lines of a /proc file, in MB; they are in kB.
fn sum(path: &PathBuf, names: &[&str]) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let kilobytes: f64 = text
        .lines()
        .filter_map(|line| names.iter().find_map(|name| line.strip_prefix(name)))
        .filter_map(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .sum();
    kilobytes * 1024.0 / 1e6
}
