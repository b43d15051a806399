//! Figures that the kernel keeps only for who asks for them.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use nix::sys::stat::{major, minor};

use super::{Hierarchies, Setup, control::put};

/// The control of version 1 that makes the kernel count. A rate of 0 is none.
const RATE: &str = "blkio.throttle.read_bps_device";

/// Has the kernel count what the group at `path` reads from and writes to the disk that `storage` is on. Version 2 always counts; version 1
/// counts for a disk only once a rate was set for it (Linux 6.10 and later), so here none is set. To be called before
/// rates are set for the group. Where `storage` is on no single disk there is nothing to count by, and nothing is done.
///
/// # Errors
/// If the host's hierarchies cannot be read, or the kernel refuses.
pub fn count_disk(path: &Path, storage: &Path) -> io::Result<()> {
    let host = Hierarchies::of_host()?;
    if host.setup == Setup::Unified {
        return Ok(());
    }
    let mut controls = host.groups(path).map(|group| group.join(RATE));
    let Some(control) = controls.find(|control| control.exists()) else {
        return Ok(());
    };
    let Some(disk) = disk_below(storage)? else {
        return Ok(());
    };
    put(&control, &format!("{disk} 0"))
}

/// `MAJOR:MINOR` of the whole disk that a path is on.
fn disk_below(path: &Path) -> io::Result<Option<String>> {
    let device = fs::metadata(path)?.dev();
    let number = format!("{}:{}", major(device), minor(device));
    let Ok(place) = fs::canonicalize(Path::new("/sys/dev/block").join(&number)) else {
        return Ok(None);
    };
    if !place.join("partition").exists() {
        return Ok(Some(number));
    }
    let Some(whole) = place.parent() else {
        return Ok(None);
    };
    let number = fs::read_to_string(whole.join("dev"))?;
    Ok(Some(number.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_memory_is_on_no_disk() {
        assert_eq!(disk_below(Path::new("/proc")).unwrap(), None);
    }

    #[test]
    fn a_disk_is_a_whole_one() {
        for entry in fs::read_dir("/sys/dev/block").unwrap().flatten() {
            if entry.path().join("partition").exists() {
                let whole = fs::canonicalize(entry.path()).unwrap();
                assert!(whole.parent().unwrap().join("dev").exists());
            }
        }
    }
}
