//! Measures the engine beside a floor in the same run, and prints a table. `scripts/bench` builds what it needs and starts it.
//!
//! Absolute times depend on the machine; the ratios are what to compare. Nothing here fails a build.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs,
    unreachable_pub
)]

mod client;
mod crowd;
mod daemon;
mod lifecycle;
mod listing;
mod logs;
mod memory;
mod operations;
mod ping;
mod runc;
mod table;
mod waits;

use daemon::Daemon;
use table::Table;

fn main() {
    // cargo hands over `--bench`; what is left is a filter.
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with("--"))
        .unwrap_or_default();
    let mut table = Table::default();
    type Section = (&'static str, fn(&Daemon, &mut Table));
    let sections: [Section; 8] = [
        ("ping", ping::measure),
        ("lifecycle", lifecycle::measure),
        ("operations", operations::measure),
        ("crowd", crowd::measure),
        ("waits", waits::measure),
        ("listing", listing::measure),
        ("logs", logs::measure),
        ("memory", memory::measure),
    ];
    for (name, measure) in sections {
        if name.contains(&filter) {
            eprintln!("measuring {name}");
            // A daemon of its own for each: what one section leaves in memory does not weigh on the next.
            measure(&Daemon::start(), &mut table);
        }
    }
    print!("{table}");
}
