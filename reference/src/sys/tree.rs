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

/// The modes of a directory and a file that nobody described.
const IMPLIED_DIRECTORY: Mode = Mode::from_raw_mode(0o755);
const IMPLIED_FILE: Mode = Mode::from_raw_mode(0o644);

/// How deep directories are gone into where their maker chose the depth: each level holds a descriptor.
const DEPTH: usize = 200;

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

    /// Whether no link is on the way to `path`, nor at its end; what is missing is no link.
    pub fn leads_straight(&self, path: &Path) -> io::Result<bool> {
        let path = path.strip_prefix("/").unwrap_or(path);
        let straight = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), straight) {
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => Ok(true),
            Err(Errno::LOOP) => Ok(false),
            Err(error) => Err(error.into()),
        }
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
                    here = create_directory(here.as_fd(), Path::new(name))?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(here)
    }

    /// Sees to it that there is a regular file at `path`. One that is there is kept; anything else, also a link, is removed and
    /// gives way to an empty file. Of its parents, one that is no directory and leads to none inside the tree gives way too.
    pub fn place_file(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.place_parent(path)?;
        let parent = parent.as_fd();
        if file_type(parent, name)? == Some(FileType::RegularFile) {
            return Ok(());
        }
        remove_in_place(parent, name, DEPTH)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(parent, name, flags, IMPLIED_FILE)?;
        Ok(rustix::fs::fchmod(made, IMPLIED_FILE)?)
    }

    /// Sees to it that `name` in the root is no link; one gives way to an empty directory.
    pub fn replace_link(&self, name: &Path) -> io::Result<()> {
        let root = self.root.as_fd();
        if file_type(root, name)? != Some(FileType::Symlink) {
            return Ok(());
        }
        remove_in_place(root, name, DEPTH)?;
        create_directory(root, name).map(drop)
    }

    fn place_directory(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.directory(path) {
            Err(error) if leads_nowhere(&error) => {}
            done => return done,
        }
        let (parent, name) = self.place_parent(path)?;
        remove_in_place(parent.as_fd(), name, DEPTH)?;
        create_directory(parent.as_fd(), name)
    }

    fn place_parent<'p>(&self, path: &'p Path) -> io::Result<(OwnedFd, &'p Path)> {
        let name = path.file_name().ok_or(Errno::INVAL)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Ok((self.place_directory(parent)?, Path::new(name)))
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

/// Whether no directory is where a path leads.
fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
    )
}

fn create_directory(parent: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    rustix::fs::mkdirat(parent, name, IMPLIED_DIRECTORY)?;
    let made = open_directory(parent, name)?;
    // The process's umask must not show inside an image.
    rustix::fs::fchmod(&made, IMPLIED_DIRECTORY)?;
    Ok(made)
}

/// Removes `name` in `parent`, with everything below it where it is: directories of an overlay cannot be moved aside as
/// [`remove_all`] does. Links are removed, not followed; missing is fine; deeper than `depth` directories is an error.
fn remove_in_place(parent: BorrowedFd<'_>, name: &Path, depth: usize) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| io::Error::other("its directories are too deep"))?;
    let directory = open_directory(parent, name)?;
    for entry in entries(directory.as_fd())? {
        remove_in_place(directory.as_fd(), Path::new(&entry), depth)?;
    }
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
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
/// What lies deeper than 200 directories is not counted.
pub fn measure(path: &Path) -> io::Result<u64> {
    let root = open_directory(rustix::fs::CWD, path)?;
    measure_below(root.as_fd(), DEPTH)
}

fn measure_below(directory: BorrowedFd<'_>, depth: usize) -> io::Result<u64> {
    let mut bytes = 0_u64;
    let names = match entries(directory) {
        // A running container may have removed the directory itself meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        names => names?,
    };
    for name in names {
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

/// What `name` in `parent` itself is, not what a link leads to; `None` when it does not exist.
pub fn file_type(parent: BorrowedFd<'_>, name: &Path) -> io::Result<Option<FileType>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(FileType::from_raw_mode(found.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
