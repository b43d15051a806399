//! A directory tree whose content is not trusted: every path is resolved inside it, whatever its symbolic links say.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

/// The mode of a directory that nobody described.
const IMPLIED_DIRECTORY: Mode = Mode::from_raw_mode(0o755);

/// The root of such a tree. `..`, absolute links and magic links never lead out of it.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
}

impl Tree {
    /// Opens the tree at a trusted path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self {
            root: rustix::fs::open(path, flags, Mode::empty())?,
        })
    }

    /// The directory at `path`, for use with `*at` calls; links in `path` are followed inside the tree.
    pub fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        self.resolve(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    /// Like [`Self::directory`]; what is missing is created with mode 0755, owned by the caller.
    pub fn create_directories(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.directory(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
        let mut here = self.directory(Path::new("."))?;
        let mut walked = PathBuf::new();
        for component in path.components() {
            let Component::Normal(name) = component else {
                continue;
            };
            walked.push(name);
            match self.directory(&walked) {
                Ok(next) => here = next,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    create_directory(here.as_fd(), Path::new(name))?;
                    here = self.directory(&walked)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(here)
    }

    /// The content of a regular file, cut at `limit` bytes; `None` when there is no file. A FIFO, a device or a directory is an
    /// error, and opening it never blocks.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
            Ok(file) => File::from(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "not a regular file",
            ));
        }
        let mut content = Vec::new();
        file.take(limit).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let inside = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC;
        Ok(rustix::fs::openat2(
            &self.root,
            path,
            flags,
            Mode::empty(),
            inside,
        )?)
    }
}

fn create_directory(parent: BorrowedFd<'_>, name: &Path) -> io::Result<()> {
    rustix::fs::mkdirat(parent, name, IMPLIED_DIRECTORY)?;
    let made = open_directory(parent, name)?;
    // The process's umask must not show inside an image.
    Ok(rustix::fs::fchmod(made, IMPLIED_DIRECTORY)?)
}

/// Removes `name` in `parent`, with everything below it; links are removed, not followed. Missing is fine.
///
/// Directories are first moved into `trash`, a directory of ours on the same filesystem: so the depth of the tree, which its
/// maker chose, costs neither stack nor descriptors. A crash leaves the rest in `trash`.
pub fn remove_all(parent: BorrowedFd<'_>, name: &Path, trash: BorrowedFd<'_>) -> io::Result<()> {
    let mut pending = Vec::new();
    remove_or_defer(parent, name, trash, &mut pending)?;
    while let Some(directory) = pending.pop() {
        empty(trash, &directory, &mut pending)?;
        rustix::fs::unlinkat(trash, &directory, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

fn remove_or_defer(
    parent: BorrowedFd<'_>,
    name: &Path,
    trash: BorrowedFd<'_>,
    pending: &mut Vec<String>,
) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => {
            pending.push(move_aside(parent, name, trash)?);
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn empty(trash: BorrowedFd<'_>, name: &str, pending: &mut Vec<String>) -> io::Result<()> {
    let directory = open_directory(trash, Path::new(name))?;
    for entry in entries(directory.as_fd())? {
        remove_or_defer(directory.as_fd(), Path::new(&entry), trash, pending)?;
    }
    Ok(())
}

fn move_aside(parent: BorrowedFd<'_>, name: &Path, trash: BorrowedFd<'_>) -> io::Result<String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let aside = format!("trash-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let taken = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(parent, name, trash, &aside, taken) {
            Ok(()) => return Ok(aside),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The names in a directory, without `.` and `..`.
fn entries(directory: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

fn open_directory(parent: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

/// The bytes of all regular files below a directory, a file with several names counted each time.
///
/// What lies deeper than 200 directories is not counted: its maker chose the depth, and each level holds a descriptor.
pub fn measure(path: &Path) -> io::Result<u64> {
    let root = open_directory(rustix::fs::CWD, path)?;
    measure_below(root.as_fd(), 200)
}

fn measure_below(directory: BorrowedFd<'_>, depth: usize) -> io::Result<u64> {
    let mut bytes = 0_u64;
    for name in entries(directory)? {
        let found = match rustix::fs::statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            // A running container may have removed it meanwhile.
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => bytes += u64::try_from(found.st_size).unwrap_or(0),
            FileType::Directory if depth > 0 => {
                bytes += match open_directory(directory, Path::new(&name)) {
                    Ok(below) => measure_below(below.as_fd(), depth - 1)?,
                    Err(_) => 0,
                };
            }
            _ => {}
        }
    }
    Ok(bytes)
}

/// Whether `name` in `parent` is itself a directory (a link to one is not); `None` when it does not exist.
pub fn is_directory(parent: BorrowedFd<'_>, name: &Path) -> io::Result<Option<bool>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(
            FileType::from_raw_mode(found.st_mode) == FileType::Directory,
        )),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
