//! Copies a directory of merged layers: content, owners, modes, times, attributes and links, and nothing from outside of it.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, Stat},
    io::Errno,
};

use super::{
    attributes::{self, Attributes},
    root,
};
use crate::{
    settings::IdMappings,
    sys::{
        layers::{self, Found, Layers, Place},
        links::{self, What},
        tree::Tree,
    },
};

/// Makes the directory `target`, with what the layers have at `place`. Where they have no directory, it is empty. With `ids` the files
/// belong on the host to those who are their owners in a container with these ids.
pub(super) fn fill(
    layers: &Layers,
    place: &Path,
    target: &Path,
    ids: Option<&IdMappings>,
) -> io::Result<()> {
    root::create(target)?;
    let What::Directory(from) = links::resolve(layers, place)?.what else {
        let (uid, gid) = attributes::owner(&rustix::fs::lstat(target)?, ids);
        return Ok(rustix::fs::chown(target, Some(uid), Some(gid))?);
    };
    let mut copy = Copy {
        layers,
        ids,
        from: from.path.clone(),
        to: Tree::open(target)?,
        names: HashMap::new(),
        pending: vec![from],
        directories: Vec::new(),
    };
    while let Some(place) = copy.pending.pop() {
        copy.directory(&place)?;
    }
    copy.finish_directories()
}

struct Copy<'l> {
    layers: &'l Layers,
    /// Whose the files are to be, if not their owners in the image as the host counts.
    ids: Option<&'l IdMappings>,
    from: PathBuf,
    to: Tree,
    /// The first place of each file that has several names.
    names: HashMap<(u64, u64), PathBuf>,
    pending: Vec<Place>,
    /// Directories and what they are to be, parents first: making their content changes their times.
    directories: Vec<(PathBuf, Attributes)>,
}

impl Copy<'_> {
    fn directory(&mut self, place: &Place) -> io::Result<()> {
        let source = self.layers.directory(place)?;
        let Some(itself) = source.uppermost() else {
            return Ok(());
        };
        let path = place.path.strip_prefix(&self.from).unwrap_or(Path::new(""));
        let path = path.to_owned();
        let attributes = Attributes::of(itself, self.ids)?;
        let target = self.to.create_directories(&path)?;
        self.directories.push((path.clone(), attributes));
        source.each(|found| self.found(&path, target.as_fd(), found))
    }

    fn found(&mut self, parent: &Path, to: BorrowedFd<'_>, found: Found<'_>) -> io::Result<()> {
        if let Some(below) = found.below {
            self.pending.push(below);
            return Ok(());
        }
        let name = found.name.as_os_str();
        if self.link(parent, to, name, &found.stat)? {
            return Ok(());
        }
        match layers::kind(&found.stat) {
            FileType::RegularFile => self.file(&found, to),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(found.part, name, Vec::new())?;
                rustix::fs::symlinkat(target, to, name)?;
                self.owner_and_times(to, name, &found.stat)
            }
            // A socket is nothing without its program.
            FileType::Socket => Ok(()),
            kind => {
                let device = found.stat.st_rdev;
                rustix::fs::mknodat(to, name, kind, Mode::RUSR | Mode::WUSR, device)?;
                self.owner_and_times(to, name, &found.stat)?;
                // Just made as a node in a directory of ours, so it is no link.
                Ok(rustix::fs::chmodat(
                    to,
                    name,
                    attributes::mode(&found.stat),
                    AtFlags::empty(),
                )?)
            }
        }
    }

    /// Gives a file that is there already this name too, if it has several.
    fn link(
        &mut self,
        parent: &Path,
        to: BorrowedFd<'_>,
        name: &OsStr,
        stat: &Stat,
    ) -> io::Result<bool> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let path = parent.join(name);
        let Some(first) = self.names.get(&(stat.st_dev, stat.st_ino)) else {
            self.names.insert((stat.st_dev, stat.st_ino), path);
            return Ok(false);
        };
        let directory = self.to.directory(first.parent().unwrap_or(Path::new("")))?;
        let first = first.file_name().ok_or(Errno::INVAL)?;
        rustix::fs::linkat(directory, first, to, name, AtFlags::empty())?;
        Ok(true)
    }

    fn file(&self, found: &Found<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
        let Some((mut source, _)) = layers::open_regular(found.part, &found.name)? else {
            return Ok(());
        };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = rustix::fs::openat(to, &found.name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut target = File::from(target);
        io::copy(&mut source, &mut target)?;
        Attributes::of(source.as_fd(), self.ids)?.apply(target.as_fd())
    }

    /// Of a link or a node, by name: it must not be opened.
    fn owner_and_times(&self, parent: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> io::Result<()> {
        let itself = AtFlags::SYMLINK_NOFOLLOW;
        let (uid, gid) = attributes::owner(stat, self.ids);
        rustix::fs::chownat(parent, name, Some(uid), Some(gid), itself)?;
        Ok(rustix::fs::utimensat(
            parent,
            name,
            &attributes::times(stat),
            itself,
        )?)
    }

    fn finish_directories(&self) -> io::Result<()> {
        for (path, attributes) in self.directories.iter().rev() {
            attributes.apply(self.open(path)?.as_fd())?;
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let pinned = self.to.directory(path)?;
        Ok(rustix::fs::openat(pinned, ".", flags, Mode::empty())?)
    }
}
