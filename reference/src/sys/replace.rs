//! Replacing a small file in one step, so that a reader sees the old or the new one and never half.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Whether the new file must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Written through to the disk, file and directory, before the call returns.
    PowerCut,
    /// Survives the death of every process, not that of the machine.
    Processes,
}

/// Writes `content` to `path` by way of `path` + ".tmp", for its owner alone.
///
/// # Errors
/// If a step fails; `path` is then what it was.
pub fn replace(path: &Path, content: &[u8], durability: Durability) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = Path::new(&name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(temporary)?;
    file.write_all(content)?;
    if durability == Durability::PowerCut {
        file.sync_all()?;
    }
    fs::rename(temporary, path)?;
    if durability == Durability::PowerCut
        && let Some(directory) = path.parent()
    {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
