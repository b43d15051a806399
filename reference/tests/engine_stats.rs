//! What a container uses, where a client of the suite cannot know it: disks, and how the figures go together.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use host::Host;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

const PATIENCE: Duration = Duration::from_secs(30);

fn run_until_it_says(host: &Host, script: &str, word: &str) -> String {
    let id = host.create(script);
    host.engine().start_container(&id).unwrap();
    let end = Instant::now() + PATIENCE;
    while host.log(&id) != [word] {
        assert!(Instant::now() < end, "it does not say {word}");
        sleep(Duration::from_millis(10));
    }
    id
}

#[test]
fn what_is_written_through_to_a_disk_counts_as_output_and_its_cache_not_as_memory() {
    let host = Host::new();
    // Past the cache: whose writes those of the cache are, version 1 of cgroups does not know.
    let script = "dd if=/dev/zero of=/direct bs=1048576 count=32 oflag=direct 2>/dev/null; \
        dd if=/dev/zero of=/cached bs=1048576 count=32 conv=fsync 2>/dev/null; echo done; exec sleep 1000";
    let id = run_until_it_says(&host, script, "done");
    let stats = host.engine().container_stats(&id).unwrap();
    assert!(stats.memory < 16 << 20, "{stats:?}");
    // In memory there is no disk to write to.
    if statfs(&host.root()).unwrap().filesystem_type() != TMPFS_MAGIC {
        assert!(stats.block_written >= 32 << 20, "{stats:?}");
    }
}

#[test]
fn the_share_of_memory_is_that_of_its_limit_and_the_figures_end_with_the_run() {
    let host = Host::new();
    let id = run_until_it_says(&host, "echo done; exec sleep 1000", "done");
    let stats = host.engine().container_stats(&id).unwrap();
    let share = Duration::from_nanos(stats.memory.try_into().unwrap())
        .div_duration_f64(Duration::from_nanos(stats.memory_limit.try_into().unwrap()));
    assert!(
        (stats.memory_share - share * 100.0).abs() < 1e-9,
        "{stats:?}"
    );
    assert_eq!(stats.pids, 1);
    host.engine().kill_container(&id, Some(9)).unwrap();
    let after = host.engine().container_stats(&id).unwrap();
    assert_eq!((after.memory, after.pids, after.cpu_nano), (0, 0, 0));
    assert_eq!((after.id, after.name), (stats.id, stats.name));
}
