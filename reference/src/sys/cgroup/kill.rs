//! The end of every process of a group, whichever pid namespace it is in.

use std::{path::Path, time::Duration};

use super::{
    control::put,
    freezer::{Freezer, Progress},
    members_below,
};
use crate::sys::process::kill_member;

/// Looks at a freezer of version 1, which says nothing when it is done, and the time between them.
const LOOKS: u32 = 40;
const STEP: Duration = Duration::from_millis(1);

/// Kills the processes of a group and of those below it, also the ones that are being made: with a pid namespace of its own the
/// kernel does so when the first one ends, but a container may have the host's.
pub(super) fn kill_all(freezer: &Freezer) {
    let group = freezer.group();
    if members_below(group).is_empty() || ask_to_kill(group) {
        return;
    }
    // Who is frozen makes no further ones.
    for _ in 0..LOOKS {
        let asked = freezer.freeze().and_then(|()| freezer.progress());
        if !matches!(asked, Ok(Progress::Freezing | Progress::Thawed)) {
            break;
        }
        std::thread::sleep(STEP);
    }
    members_below(group).into_iter().for_each(kill_member);
    let _ = freezer.thaw();
}

/// Version 2 has a file for it since Linux 5.14.
fn ask_to_kill(group: &Path) -> bool {
    put(&group.join("cgroup.kill"), "1").is_ok()
}
