//! ListContainerChanges: what a container changed, added and deleted of its image.

use std::{
    collections::HashSet,
    ffi::OsStr,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

use rustix::fs::{FileType, Stat};

use super::{EngineError, Result, container::Container, list, state::Phase};
use crate::sys::layers::{self, Found, Layers, Place};

/// The answer is one message; a container can make any number of files.
const LONGEST_ANSWER: usize = 16 << 20;

/// Paths, absolute as the container sees them, each in one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// In the image too, with other content or attributes.
    pub changed: Vec<String>,
    /// Not in the image.
    pub added: Vec<String>,
    /// Only in the image. What was below a deleted directory is left out.
    pub deleted: Vec<String>,
}

pub(super) fn list(container: &Container) -> Result<Differences> {
    let compared = compare(container);
    if matches!(container.state().phase, Phase::Removing | Phase::Removed) {
        return Err(EngineError::ContainerNotFound {
            name: container.id(),
        });
    }
    compared.map_err(EngineError::failed(
        "cannot compare the container with its image",
    ))
}

fn compare(container: &Container) -> io::Result<Differences> {
    let upper = Layers::open([container.upper.as_path()])?;
    let image = Layers::open(container.lower.iter().map(PathBuf::as_path))?;
    let root = (PathBuf::new(), Some(image.root()));
    let mut comparison = Comparison {
        upper,
        image,
        engine: EnginePaths::of(container),
        pending: vec![root],
        implied: Vec::new(),
        found: Differences::default(),
        length: 0,
    };
    while let Some((path, base)) = comparison.pending.pop() {
        comparison.directory(&path, base.as_ref())?;
    }
    comparison.finish()
}

/// What the engine itself puts into a container; the container did not do it.
struct EnginePaths {
    /// Where something is mounted; what lies there is not seen from inside.
    mounts: HashSet<PathBuf>,
    /// Directories that are made where they are missing.
    directories: HashSet<PathBuf>,
}

impl EnginePaths {
    fn of(container: &Container) -> Self {
        let relative = |path: &str| PathBuf::from(path.trim_start_matches('/'));
        let mounts: HashSet<PathBuf> = list::mounts(container)
            .iter()
            .map(|mount| relative(&mount.destination))
            .collect();
        let mut directories: HashSet<PathBuf> = mounts
            .iter()
            .flat_map(|path| path.ancestors().skip(1))
            .map(Path::to_owned)
            .collect();
        let working = relative(&container.record.process.working_directory);
        directories.extend(working.ancestors().map(Path::to_owned));
        Self {
            mounts,
            directories,
        }
    }
}

struct Comparison {
    upper: Layers,
    image: Layers,
    engine: EnginePaths,
    /// Directories of the upper layer that are to be looked into, and the image's ones in their place.
    pending: Vec<(PathBuf, Option<Place>)>,
    /// Directories that the engine made, unless the container put something into them.
    implied: Vec<PathBuf>,
    found: Differences,
    length: usize,
}

/// What happened to a directory itself.
#[derive(Default)]
struct Below {
    /// An entry came or went.
    other: bool,
    /// The engine made an entry, which changed the directory's time.
    engine: bool,
}

impl Comparison {
    fn directory(&mut self, path: &Path, base: Option<&Place>) -> io::Result<()> {
        let upper = self
            .upper
            .directory(&self.upper.uppermost(path.to_owned()))?;
        let Some(here) = upper.uppermost() else {
            return Ok(());
        };
        let base = base.map(|base| self.image.directory(base)).transpose()?;
        let mut below = Below::default();
        upper.each_stored(|name, stat| {
            let in_image = match &base {
                Some(base) => base.find(name)?,
                None => None,
            };
            self.entry(here, path.join(name), name, &stat, in_image, &mut below)
        })?;
        let Some(base) = base else {
            return Ok(());
        };
        if layers::is_opaque(here)? {
            base.each(|found| match upper.find(&found.name)? {
                Some(_) => Ok(()),
                None => {
                    below.other = true;
                    self.deleted(&path.join(&found.name))
                }
            })?;
        }
        // The engine makes the root, and hands it on with the container.
        let Some(before) = base.uppermost().filter(|_| !path.as_os_str().is_empty()) else {
            return Ok(());
        };
        if below.other || directory_differs(here, before, below.engine)? {
            self.changed(path)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        parent: BorrowedFd<'_>,
        path: PathBuf,
        name: &OsStr,
        stat: &Stat,
        in_image: Option<Found<'_>>,
        below: &mut Below,
    ) -> io::Result<()> {
        let is_directory = layers::kind(stat) == FileType::Directory;
        if self.engine.mounts.contains(&path) {
            below.engine |= in_image.is_none();
            return Ok(());
        }
        let Some(before) = in_image else {
            return self.entry_of_its_own(path, stat, below);
        };
        if layers::is_whiteout(stat) {
            below.other = true;
            return self.deleted(&path);
        }
        match (is_directory, before.below.clone()) {
            (true, Some(base)) => self.pending.push((path, Some(base))),
            (true, None) => {
                self.changed(&path)?;
                self.pending.push((path, None));
            }
            (false, Some(base)) => {
                self.changed(&path)?;
                let gone = self.image.directory(&base)?;
                gone.each(|found| self.deleted(&path.join(&found.name)))?;
            }
            (false, None) => {
                if file_differs(parent, name, stat, &before)? {
                    self.changed(&path)?;
                }
            }
        }
        Ok(())
    }

    /// An entry that is not in the image.
    fn entry_of_its_own(
        &mut self,
        path: PathBuf,
        stat: &Stat,
        below: &mut Below,
    ) -> io::Result<()> {
        if layers::is_whiteout(stat) {
            return Ok(());
        }
        let is_directory = layers::kind(stat) == FileType::Directory;
        if is_directory && self.engine.directories.contains(&path) {
            below.engine = true;
            self.implied.push(path.clone());
        } else {
            below.other = true;
            self.added(&path)?;
        }
        if is_directory {
            self.pending.push((path, None));
        }
        Ok(())
    }

    fn changed(&mut self, path: &Path) -> io::Result<()> {
        let path = self.absolute(path)?;
        self.found.changed.push(path);
        Ok(())
    }

    fn added(&mut self, path: &Path) -> io::Result<()> {
        let path = self.absolute(path)?;
        self.found.added.push(path);
        Ok(())
    }

    fn deleted(&mut self, path: &Path) -> io::Result<()> {
        let path = self.absolute(path)?;
        self.found.deleted.push(path);
        Ok(())
    }

    fn absolute(&mut self, path: &Path) -> io::Result<String> {
        let path = format!("/{}", path.to_string_lossy());
        self.length += path.len();
        if self.length > LONGEST_ANSWER {
            return Err(io::Error::other(format!(
                "their paths are longer than {LONGEST_ANSWER} bytes in all"
            )));
        }
        Ok(path)
    }

    fn finish(mut self) -> io::Result<Differences> {
        for path in std::mem::take(&mut self.implied) {
            let inside = format!("/{}/", path.to_string_lossy());
            let mut added = self.found.added.iter();
            if added.any(|other| other.starts_with(&inside)) {
                self.added(&path)?;
            }
        }
        for list in [
            &mut self.found.changed,
            &mut self.found.added,
            &mut self.found.deleted,
        ] {
            list.sort_unstable();
        }
        Ok(self.found)
    }
}

/// A directory is copied up with its attributes when something in it changes.
fn directory_differs(
    here: BorrowedFd<'_>,
    before: BorrowedFd<'_>,
    by_engine: bool,
) -> io::Result<bool> {
    let (now, then) = (rustix::fs::fstat(here)?, rustix::fs::fstat(before)?);
    let times = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    Ok(owner_and_mode(&now) != owner_and_mode(&then)
        || (!by_engine && times(&now) != times(&then))
        || layers::attributes(here)? != layers::attributes(before)?)
}

fn owner_and_mode(stat: &Stat) -> (u32, u32, u32) {
    (stat.st_mode, stat.st_uid, stat.st_gid)
}

/// Whether two files differ, neither of them a directory. One that was only opened for writing is copied up and is the same.
fn file_differs(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    now: &Stat,
    before: &Found<'_>,
) -> io::Result<bool> {
    let told = |stat: &Stat| {
        (
            stat.st_size,
            stat.st_rdev,
            stat.st_mtime,
            stat.st_mtime_nsec,
        )
    };
    if owner_and_mode(now) != owner_and_mode(&before.stat) || told(now) != told(&before.stat) {
        return Ok(true);
    }
    match layers::kind(now) {
        FileType::Symlink => {
            let read = |directory, name| rustix::fs::readlinkat(directory, name, Vec::new());
            Ok(read(parent, name)? != read(before.part, before.name.as_os_str())?)
        }
        FileType::RegularFile => {
            let now = layers::open_regular(parent, name)?;
            let then = layers::open_regular(before.part, &before.name)?;
            let (Some((now, _)), Some((then, _))) = (now, then) else {
                return Ok(true);
            };
            let attributes = |file: &std::fs::File| layers::attributes(file.as_fd());
            Ok(attributes(&now)? != attributes(&then)? || content_differs(now, then)?)
        }
        _ => Ok(false),
    }
}

fn content_differs(mut one: impl Read, mut other: impl Read) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0_u8; 128 << 10], vec![0_u8; 128 << 10]);
    loop {
        let count = one.read(&mut left)?;
        let read = left.get(..count).unwrap_or_default();
        let Some(beside) = right.get_mut(..count) else {
            return Ok(true);
        };
        match other.read_exact(beside) {
            Ok(()) if read == beside => {}
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
            Err(error) => return Err(error),
        }
        if count == 0 {
            return Ok(other.read(&mut left)? != 0);
        }
    }
}
