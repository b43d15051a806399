//! The layers of an overlay, read without mounting it: what is where, and what hides what.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat},
    io::Errno,
};

/// A path that is longer cannot be named to anybody.
const LONGEST_PATH: usize = 4095;

/// Layers, uppermost first. Whoever writes to them meanwhile leads nobody out: no link is followed, no mount entered.
#[derive(Debug)]
pub struct Layers {
    roots: Vec<OwnedFd>,
}

/// A directory of the merged tree.
#[derive(Debug, Clone)]
pub struct Place {
    /// From the root; empty for the root itself.
    pub path: PathBuf,
    /// The layers that have a part of it, uppermost first.
    layers: Vec<usize>,
}

/// An open directory of the merged tree.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    parts: Vec<(usize, OwnedFd)>,
}

/// Something in such a directory.
#[derive(Debug)]
pub struct Found<'a> {
    /// The part of the directory that has it.
    pub part: BorrowedFd<'a>,
    /// Its name there.
    pub name: OsString,
    /// What it is; a link itself, not what it points to.
    pub stat: Stat,
    /// If it is a directory.
    pub below: Option<Place>,
}

impl Layers {
    /// Opens layers at trusted paths, uppermost first.
    pub fn open<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |path| Ok(rustix::fs::open(path, flags, Mode::empty())?);
        let roots = paths.into_iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { roots })
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Place {
        Place {
            path: PathBuf::new(),
            layers: (0..self.roots.len()).collect(),
        }
    }

    /// The directory at `path` in the uppermost layer.
    #[must_use]
    pub fn uppermost(&self, path: PathBuf) -> Place {
        let layers = vec![0];
        Place { path, layers }
    }

    /// Opens a directory. Parts that have gone meanwhile are passed over.
    pub fn directory(&self, place: &Place) -> io::Result<Directory> {
        let mut parts = Vec::with_capacity(place.layers.len());
        for layer in &place.layers {
            let Some(root) = self.roots.get(*layer) else {
                continue;
            };
            match open_below(root.as_fd(), &place.path) {
                Ok(part) => parts.push((*layer, part)),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Directory {
            path: place.path.clone(),
            parts,
        })
    }
}

impl Directory {
    /// Its uppermost part; `None` if it has gone.
    #[must_use]
    pub fn uppermost(&self) -> Option<BorrowedFd<'_>> {
        self.parts.first().map(|(_, part)| part.as_fd())
    }

    /// What has this name in it.
    pub fn find(&self, name: &OsStr) -> io::Result<Option<Found<'_>>> {
        self.find_from(0, name)
    }

    /// Everything in it, in no order.
    pub fn each<E: From<io::Error>>(
        &self,
        mut take: impl FnMut(Found<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (depth, (_, part)) in self.parts.iter().enumerate() {
            names(part.as_fd(), |name| {
                let mut above = self.parts.iter().take(depth);
                if above.any(|(_, part)| !matches!(stat(part.as_fd(), name), Ok(None))) {
                    return Ok(());
                }
                match self.find_from(depth, name)? {
                    Some(found) => take(found),
                    None => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    /// Everything in its uppermost part as it is stored there, whiteouts too.
    pub fn each_stored<E: From<io::Error>>(
        &self,
        mut take: impl FnMut(&OsStr, Stat) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(part) = self.uppermost() else {
            return Ok(());
        };
        names(part, |name| match stat(part, name)? {
            Some(found) => take(name, found),
            None => Ok(()),
        })
    }

    fn find_from(&self, depth: usize, name: &OsStr) -> io::Result<Option<Found<'_>>> {
        let mut found: Option<Found<'_>> = None;
        for (layer, part) in self.parts.iter().skip(depth) {
            let Some(stat) = stat(part.as_fd(), name)? else {
                continue;
            };
            let is_directory = kind(&stat) == FileType::Directory;
            match found.as_mut().and_then(|found| found.below.as_mut()) {
                Some(below) if is_directory => below.layers.push(*layer),
                // What it hides does not matter.
                Some(_) => break,
                None if is_whiteout(&stat) => break,
                None => {
                    let below = is_directory.then(|| Place {
                        path: self.path.join(name),
                        layers: vec![*layer],
                    });
                    let (part, name) = (part.as_fd(), name.to_owned());
                    found = Some(Found {
                        part,
                        name,
                        stat,
                        below,
                    });
                }
            }
            if !is_directory || is_opaque_below(part.as_fd(), name)? {
                break;
            }
        }
        Ok(found)
    }
}

/// The kind of a file.
#[must_use]
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Whether it stands for something that was deleted.
#[must_use]
pub fn is_whiteout(stat: &Stat) -> bool {
    kind(stat) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Whether a directory hides those of the same path in lower layers.
pub fn is_opaque(directory: BorrowedFd<'_>) -> io::Result<bool> {
    let mut value = [0_u8; 2];
    match rustix::fs::fgetxattr(directory, "trusted.overlay.opaque", &mut value[..]) {
        Ok(length) => Ok(value.get(..length) == Some(b"y")),
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::RANGE) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens a regular file to be read; `None` if it is none (any more). A device or a FIFO in its place is not opened, which could
/// already have an effect.
pub fn open_regular(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<(File, Stat)>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pinned = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(pinned) => pinned,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stat = rustix::fs::fstat(&pinned)?;
    if kind(&stat) != FileType::RegularFile {
        return Ok(None);
    }
    let same = format!("/proc/self/fd/{}", pinned.as_raw_fd());
    Ok(Some((File::open(same)?, stat)))
}

/// Attributes of a file that belong to it: not the overlay's own, nor labels, which belong to the host.
pub fn attributes(file: BorrowedFd<'_>) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut list = vec![0_u8; 64 << 10];
    let length = match rustix::fs::flistxattr(file, &mut list[..]) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let names = list.get(..length).unwrap_or_default();
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0) {
        let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_kept(name)) else {
            continue;
        };
        let mut value = vec![0_u8; 64 << 10];
        match rustix::fs::fgetxattr(file, name, &mut value[..]) {
            Ok(length) => value.truncate(length),
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        }
        found.push((name.to_owned(), value));
    }
    found.sort();
    Ok(found)
}

fn is_kept(name: &str) -> bool {
    let user = name.starts_with("user.") && !name.starts_with("user.overlay.");
    user || name == "security.capability" || name.starts_with("system.posix_acl_")
}

fn stat(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<Stat>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_opaque_below(directory: BorrowedFd<'_>, name: &OsStr) -> io::Result<bool> {
    match open_below(directory, Path::new(name)) {
        Ok(directory) => is_opaque(directory.as_fd()),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn open_below(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    if path.as_os_str().len() > LONGEST_PATH {
        return Err(Errno::NAMETOOLONG);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inside = ResolveFlags::BENEATH
        | ResolveFlags::NO_SYMLINKS
        | ResolveFlags::NO_MAGICLINKS
        | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(root, path, flags, Mode::empty(), inside)
}

/// The names in a directory, one by one: there may be millions.
fn names<E: From<io::Error>>(
    directory: BorrowedFd<'_>,
    mut take: impl FnMut(&OsStr) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: Errno| E::from(error.into());
    for entry in Dir::read_from(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            take(OsStr::from_bytes(name))?;
        }
    }
    Ok(())
}
