//! Makes files of tar entries, inside one directory whatever the entries say. The `tar` crate only parses.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};
use tar::EntryType;

use super::{
    ArchiveError, LayerId,
    archive::{Budget, Limits, Stream},
};
use crate::sys::tree::{self, Tree};

/// What was unpacked.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// The digest of the uncompressed stream.
    pub(super) id: LayerId,
    /// The bytes of all files.
    pub(super) size: u64,
}

type Entry<'a> = tar::Entry<'a, Stream>;

/// Unpacks all of `stream` into the empty directory `target`. `trash` takes the directories that a later entry replaces.
pub(super) fn unpack(
    stream: Stream,
    target: &Path,
    trash: BorrowedFd<'_>,
    limits: Limits,
) -> Result<Unpacked, ArchiveError> {
    let budget = stream.budget();
    let mut archive = tar::Archive::new(stream);
    let mut unpacker = Unpacker::new(target, trash, limits)?;
    let faulty = |entries: u64| {
        let budget = &budget;
        move |source| fault(budget, limits, entries, source)
    };
    budget.header(limits.entry_header_bytes);
    for entry in archive.entries().map_err(faulty(0))? {
        let mut entry = entry.map_err(faulty(unpacker.entries))?;
        budget.body();
        let made = unpacker.entry(&mut entry);
        made.map_err(|error| match budget.exceeded() {
            Some(_) => over("bytes", limits.bytes),
            None => error,
        })?;
        io::copy(&mut entry, &mut io::sink()).map_err(faulty(unpacker.entries))?;
        budget.header(limits.entry_header_bytes);
    }
    if unpacker.entries == 0 {
        return Err(ArchiveError::Empty);
    }
    unpacker.finish_directories()?;
    let rest = archive.into_inner().finish();
    Ok(Unpacked {
        id: rest.map_err(faulty(unpacker.entries))?,
        size: unpacker.bytes,
    })
}

/// Why an archive could not be walked any further, `entries` of it having been seen. The words of the `tar` crate are not passed
/// on where it could not parse what it read: they quote it.
fn fault(budget: &Budget, limits: Limits, entries: u64, source: io::Error) -> ArchiveError {
    match budget.exceeded() {
        Some(what) if what == "bytes" => over(what, limits.bytes),
        Some(what) => over(what, limits.entry_header_bytes),
        None if budget.failed() => ArchiveError::Read(source),
        None if entries == 0 => ArchiveError::NotATar,
        None => ArchiveError::Damaged { after: entries },
    }
}

fn over(what: &'static str, limit: u64) -> ArchiveError {
    ArchiveError::Limit { what, limit }
}

struct Unpacker<'a> {
    tree: Tree,
    trash: BorrowedFd<'a>,
    limits: Limits,
    entries: u64,
    bytes: u64,
    /// Modes and times of directories come last: making their content changes the times.
    directories: BTreeMap<PathBuf, Attributes>,
}

impl<'a> Unpacker<'a> {
    fn new(target: &Path, trash: BorrowedFd<'a>, limits: Limits) -> Result<Self, ArchiveError> {
        let tree = Tree::open(target).map_err(|source| ArchiveError::Entry {
            entry: "/".into(),
            source,
        })?;
        Ok(Self {
            tree,
            trash,
            limits,
            entries: 0,
            bytes: 0,
            directories: BTreeMap::new(),
        })
    }

    fn entry(&mut self, entry: &mut Entry<'_>) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(over("entries", self.limits.entries));
        }
        let name = entry.path_bytes().into_owned();
        let shown = || shown(&name);
        let refused = |reason| ArchiveError::Refused {
            entry: shown(),
            reason,
        };
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            return Ok(());
        }
        let path = inside(&name).map_err(refused)?;
        let attributes = Attributes::of(entry).map_err(refused)?;
        let kind = kind(entry, &name).map_err(refused)?;
        self.make(entry, &path, kind, attributes)
            .map_err(|source| ArchiveError::Entry {
                entry: shown(),
                source,
            })
    }

    fn make(
        &mut self,
        entry: &mut Entry<'_>,
        path: &Path,
        kind: Kind,
        attributes: Attributes,
    ) -> io::Result<()> {
        let Some(name) = path.file_name().map(Path::new) else {
            // The root itself.
            self.directories.insert(path.to_owned(), attributes);
            return Ok(());
        };
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = self.tree.create_directories(parent)?;
        let parent = parent.as_fd();
        if kind == Kind::Directory && tree::file_type(parent, name)? == Some(FileType::Directory) {
            self.directories.insert(path.to_owned(), attributes);
            return Ok(());
        }
        if let Kind::Hardlink(target) = &kind {
            return self.hardlink(target, parent, name);
        }
        tree::remove_all(parent, name, self.trash)?;
        match kind {
            Kind::Directory => {
                rustix::fs::mkdirat(parent, name, Mode::RWXU)?;
                self.directories.insert(path.to_owned(), attributes);
                Ok(())
            }
            Kind::File => self.file(entry, parent, name, &attributes),
            Kind::Symlink(target) => {
                rustix::fs::symlinkat(target.as_os_str(), parent, name)?;
                attributes.apply_by_name(parent, name, false)
            }
            Kind::Node(node, device) => {
                rustix::fs::mknodat(parent, name, node, Mode::RUSR | Mode::WUSR, device)?;
                attributes.apply_by_name(parent, name, true)
            }
            Kind::Hardlink(_) | Kind::Nothing => Ok(()),
        }
    }

    fn file(
        &mut self,
        entry: &mut Entry<'_>,
        parent: BorrowedFd<'_>,
        name: &Path,
        attributes: &Attributes,
    ) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(file);
        let mut buffer = vec![0_u8; 128 << 10];
        loop {
            let read = entry.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
            if self.bytes > self.limits.bytes {
                // The content of a sparse file is not in the stream, so the stream's own limit does not see it.
                return Err(io::Error::other("more content than the byte limit"));
            }
            file.write_all(buffer.get(..read).unwrap_or_default())?;
        }
        attributes.apply(file.as_fd())
    }

    fn hardlink(&self, target: &Path, parent: BorrowedFd<'_>, name: &Path) -> io::Result<()> {
        let directory = target.parent().unwrap_or(Path::new(""));
        let directory = self.tree.directory(directory)?;
        let file = target.file_name().ok_or(Errno::INVAL)?;
        // The target is made sure of first: it may be the very name that is replaced.
        let found = rustix::fs::statat(&directory, file, AtFlags::SYMLINK_NOFOLLOW)?;
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(old) if (old.st_dev, old.st_ino) == (found.st_dev, found.st_ino) => return Ok(()),
            _ => tree::remove_all(parent, name, self.trash)?,
        }
        Ok(rustix::fs::linkat(
            &directory,
            file,
            parent,
            name,
            AtFlags::empty(),
        )?)
    }

    fn finish_directories(&self) -> Result<(), ArchiveError> {
        // Children first, so that a parent's time is set after its last change.
        for (path, attributes) in self.directories.iter().rev() {
            self.finish_directory(path, attributes)
                .map_err(|source| ArchiveError::Entry {
                    entry: shown(path.as_os_str().as_bytes()),
                    source,
                })?;
        }
        Ok(())
    }

    fn finish_directory(&self, path: &Path, attributes: &Attributes) -> io::Result<()> {
        let (parent, name) = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => (parent, Path::new(name)),
            _ => (Path::new(""), Path::new(".")),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self
            .tree
            .directory(parent)
            .and_then(|parent| Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?));
        match opened {
            Ok(directory) => attributes.apply(directory.as_fd()),
            // A later entry replaced it by something else.
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
                _ => Err(error),
            },
        }
    }
}

/// What an entry is to become.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    Symlink(OsString),
    Hardlink(PathBuf),
    Node(FileType, u64),
    /// A character device 0:0: in a layer this means "deleted", and below a container it would hide nothing else.
    Nothing,
}

fn kind(entry: &Entry<'_>, name: &[u8]) -> Result<Kind, &'static str> {
    let link = || entry.link_name_bytes().ok_or("it is a link to nothing");
    Ok(match entry.header().entry_type() {
        EntryType::Directory => Kind::Directory,
        // Archives older than ustar mark a directory by its name only.
        EntryType::Regular if name.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Symlink => Kind::Symlink(OsString::from_vec(link()?.into_owned())),
        EntryType::Link => Kind::Hardlink(inside(&link()?)?),
        EntryType::Fifo => Kind::Node(FileType::Fifo, 0),
        EntryType::Char => match device(entry)? {
            0 => Kind::Nothing,
            device => Kind::Node(FileType::CharacterDevice, device),
        },
        EntryType::Block => Kind::Node(FileType::BlockDevice, device(entry)?),
        _ => return Err("entries of its type are not supported"),
    })
}

fn device(entry: &Entry<'_>) -> Result<u64, &'static str> {
    let number = |part: io::Result<Option<u32>>| part.ok().flatten().ok_or("bad device number");
    let major = number(entry.header().device_major())?;
    let minor = number(entry.header().device_minor())?;
    Ok(rustix::fs::makedev(major, minor))
}

/// An entry's name as a path relative to the root. Absolute names count from the root; `..` is refused.
fn inside(name: &[u8]) -> Result<PathBuf, &'static str> {
    let mut path = PathBuf::new();
    for component in Path::new(std::ffi::OsStr::from_bytes(name)).components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(part) => path.push(part),
            Component::ParentDir | Component::Prefix(_) => return Err("its path holds .."),
        }
    }
    Ok(path)
}

/// A name as an error shows it: not longer than a path can be.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(256).collect()
}

/// Owner, mode, time and extended attributes of an entry.
#[derive(Debug)]
struct Attributes {
    mode: Mode,
    uid: Uid,
    gid: Gid,
    times: Timestamps,
    extended: Vec<(OsString, Vec<u8>)>,
}

impl Attributes {
    fn of(entry: &mut Entry<'_>) -> Result<Self, &'static str> {
        let header = entry.header();
        let raw = header.as_old();
        let mode = number(&raw.mode, || header.mode()).ok_or("bad mode")?;
        let uid = number(&raw.uid, || header.uid()).and_then(owner);
        let gid = number(&raw.gid, || header.gid()).and_then(owner);
        let seconds = number(&raw.mtime, || header.mtime());
        let seconds = seconds.and_then(|time| i64::try_from(time).ok());
        let mut attributes = Self {
            mode: Mode::from_raw_mode(mode & 0o7777),
            uid: Uid::from_raw(uid.ok_or("bad owner")?),
            gid: Gid::from_raw(gid.ok_or("bad group")?),
            times: at(seconds.ok_or("bad modification time")?, 0),
            extended: Vec::new(),
        };
        for record in entry.pax_extensions().ok().flatten().into_iter().flatten() {
            let record = record.map_err(|_| "its extended header is malformed")?;
            attributes.extend(record.key_bytes(), record.value_bytes())?;
        }
        Ok(attributes)
    }

    fn extend(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            if is_kept(name) {
                let name = OsString::from_vec(name.to_vec());
                self.extended.push((name, value.to_vec()));
            }
        } else if key == b"mtime" {
            let text = std::str::from_utf8(value).ok();
            let (seconds, nanoseconds) = text.and_then(time).ok_or("bad modification time")?;
            self.times = at(seconds, nanoseconds);
        } else if key.starts_with(b"GNU.sparse.") {
            return Err("sparse files in the PAX format are not supported");
        }
        Ok(())
    }

    /// Through a descriptor, for files and directories.
    fn apply(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        // In this order: a new owner clears setuid bits and capabilities.
        rustix::fs::fchown(file, Some(self.uid), Some(self.gid))?;
        rustix::fs::fchmod(file, self.mode)?;
        for (name, value) in &self.extended {
            match rustix::fs::fsetxattr(file, name.as_os_str(), value, XattrFlags::empty()) {
                Ok(()) | Err(Errno::OPNOTSUPP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(rustix::fs::futimens(file, &self.times)?)
    }

    /// By name, for what must not be opened; a link itself is meant, not what it points to.
    fn apply_by_name(
        &self,
        parent: BorrowedFd<'_>,
        name: &Path,
        with_mode: bool,
    ) -> io::Result<()> {
        let itself = AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::chownat(parent, name, Some(self.uid), Some(self.gid), itself)?;
        if with_mode {
            // Just made by us as a node, so it is no link.
            rustix::fs::chmodat(parent, name, self.mode, AtFlags::empty())?;
        }
        Ok(rustix::fs::utimensat(parent, name, &self.times, itself)?)
    }
}

/// Attributes that an image can need. Overlay's own would change what other files are, and labels belong to the host.
fn is_kept(name: &[u8]) -> bool {
    let user = name.starts_with(b"user.") && !name.starts_with(b"user.overlay.");
    user || name == b"security.capability" || name.starts_with(b"system.posix_acl_")
}

/// A number of a header. A field without any digit is 0, as other readers have it.
fn number<T: Default>(field: &[u8], read: impl FnOnce() -> io::Result<T>) -> Option<T> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Some(T::default());
    }
    read().ok()
}

fn owner(id: u64) -> Option<u32> {
    // The kernel takes the largest as "leave it as it is".
    u32::try_from(id).ok().filter(|id| *id != u32::MAX)
}

fn at(seconds: i64, nanoseconds: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// A time as the PAX format writes it, `1700000000.25`, in seconds and nanoseconds.
fn time(text: &str) -> Option<(i64, i64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: i64 = digits.parse().ok()?;
    match (whole.starts_with('-'), nanoseconds) {
        (true, 1..) => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds)),
        _ => Some((seconds, nanoseconds)),
    }
}
