//! Makes a tar of merged layers: what a container sees, less what is mounted over it.

use std::{
    collections::HashMap,
    ffi::OsStr,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::fs::{FileType, Stat};
use tar::{Builder, EntryType, Header};

use super::Limits;
use crate::sys::layers::{self, Found, Layers, Place};

/// The longest name that fits into a header; a longer one goes into an extended header, in the PAX format.
const NAME_LENGTH: usize = 100;
/// The largest id that fits.
const LARGEST_ID: u32 = 0o7_777_777;

/// Writes layers, uppermost first, as one tar. It can be read again within the same limits.
///
/// # Errors
/// If something cannot be read or written, or the tar would go over a limit.
pub fn pack(layers: &Layers, output: impl Write, limits: Limits) -> io::Result<()> {
    let mut packer = Packer {
        builder: Builder::new(output),
        limits,
        entries: 0,
        bytes: 0,
        names: HashMap::new(),
        pending: vec![layers.root()],
    };
    while let Some(place) = packer.pending.pop() {
        packer.directory(layers, &place)?;
    }
    packer.builder.into_inner()?.flush()
}

struct Packer<W: Write> {
    builder: Builder<W>,
    limits: Limits,
    entries: u64,
    bytes: u64,
    /// The first name of each file that has several.
    names: HashMap<(u64, u64), Vec<u8>>,
    pending: Vec<Place>,
}

impl<W: Write> Packer<W> {
    fn directory(&mut self, layers: &Layers, place: &Place) -> io::Result<()> {
        let directory = layers.directory(place)?;
        let Some(itself) = directory.uppermost() else {
            return Ok(());
        };
        let name = match place.path.as_os_str().as_bytes() {
            b"" => b"./".to_vec(),
            path => [path, b"/"].concat(),
        };
        let stat = rustix::fs::fstat(itself)?;
        let mut entry = Entry::new(EntryType::Directory, name, &stat);
        entry.attributes(itself)?;
        self.append(entry, io::empty(), 0)?;
        directory.each(|found| self.found(&place.path, found))
    }

    fn found(&mut self, parent: &Path, found: Found<'_>) -> io::Result<()> {
        let path = parent.join(&found.name);
        if let Some(below) = found.below {
            self.pending.push(below);
            return Ok(());
        }
        match layers::kind(&found.stat) {
            FileType::RegularFile => match layers::open_regular(found.part, &found.name)? {
                Some((file, stat)) => self.file(path, &file, &stat),
                None => Ok(()),
            },
            FileType::Symlink => {
                let target = match rustix::fs::readlinkat(found.part, &found.name, Vec::new()) {
                    Ok(target) => target,
                    // It was replaced meanwhile.
                    Err(rustix::io::Errno::NOENT | rustix::io::Errno::INVAL) => return Ok(()),
                    Err(error) => return Err(error.into()),
                };
                self.other(EntryType::Symlink, path, &found.stat, target.as_bytes())
            }
            FileType::Fifo => self.other(EntryType::Fifo, path, &found.stat, b""),
            FileType::CharacterDevice => self.other(EntryType::Char, path, &found.stat, b""),
            FileType::BlockDevice => self.other(EntryType::Block, path, &found.stat, b""),
            // A socket is nothing without its program.
            _ => Ok(()),
        }
    }

    fn file(&mut self, path: PathBuf, file: &std::fs::File, stat: &Stat) -> io::Result<()> {
        let name = path.into_os_string();
        if self.is_known(name.as_os_str(), stat)? {
            return Ok(());
        }
        let mut entry = Entry::new(EntryType::Regular, name.as_bytes().to_vec(), stat);
        entry.attributes(file.as_fd())?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        // A running container may change its length meanwhile, which the header already tells.
        self.append(entry, file.chain(io::repeat(0)).take(size), size)
    }

    fn other(
        &mut self,
        kind: EntryType,
        path: PathBuf,
        stat: &Stat,
        target: &[u8],
    ) -> io::Result<()> {
        let name = path.into_os_string();
        if self.is_known(name.as_os_str(), stat)? {
            return Ok(());
        }
        let mut entry = Entry::new(kind, name.as_bytes().to_vec(), stat);
        entry.target(target);
        self.append(entry, io::empty(), 0)
    }

    /// Whether the file is in the tar already, under another name; it then gets this one, too.
    fn is_known(&mut self, name: &OsStr, stat: &Stat) -> io::Result<bool> {
        if stat.st_nlink < 2 {
            return Ok(false);
        }
        let file = (stat.st_dev, stat.st_ino);
        let Some(first) = self.names.get(&file).cloned() else {
            self.names.insert(file, name.as_bytes().to_vec());
            return Ok(false);
        };
        let mut entry = Entry::new(EntryType::Link, name.as_bytes().to_vec(), stat);
        entry.target(&first);
        self.append(entry, io::empty(), 0)?;
        Ok(true)
    }

    fn append(&mut self, mut entry: Entry, content: impl Read, size: u64) -> io::Result<()> {
        self.entries += 1;
        self.bytes = self
            .bytes
            .saturating_add(size)
            .saturating_add(entry.length());
        if self.entries > self.limits.entries {
            return Err(over("entries", self.limits.entries));
        }
        if self.bytes > self.limits.bytes {
            return Err(over("bytes", self.limits.bytes));
        }
        if !entry.extended.is_empty() {
            let records = entry.extended.iter();
            self.builder.append_pax_extensions(
                records.map(|(key, value)| (key.as_str(), value.as_slice())),
            )?;
        }
        entry.header.set_size(size);
        entry.header.set_cksum();
        self.builder.append(&entry.header, content)
    }
}

fn over(what: &str, limit: u64) -> io::Error {
    io::Error::other(format!("there are more than {limit} {what}"))
}

/// A header, and what does not fit into it.
struct Entry {
    header: Header,
    extended: Vec<(String, Vec<u8>)>,
}

impl Entry {
    fn new(kind: EntryType, name: Vec<u8>, stat: &Stat) -> Self {
        let mut entry = Self {
            header: Header::new_ustar(),
            extended: Vec::new(),
        };
        let header = &mut entry.header;
        header.set_entry_type(kind);
        header.set_mode(stat.st_mode & 0o7777);
        header.set_uid(stat.st_uid.into());
        header.set_gid(stat.st_gid.into());
        header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
        if matches!(kind, EntryType::Char | EntryType::Block) {
            // Cannot fail: the format has the fields.
            let _ = header.set_device_major(rustix::fs::major(stat.st_rdev));
            let _ = header.set_device_minor(rustix::fs::minor(stat.st_rdev));
        }
        fill(&mut header.as_old_mut().name, &name);
        if stat.st_uid > LARGEST_ID {
            entry.extend("uid", stat.st_uid.to_string().into_bytes());
        }
        if stat.st_gid > LARGEST_ID {
            entry.extend("gid", stat.st_gid.to_string().into_bytes());
        }
        if stat.st_mtime < 0 {
            entry.extend("mtime", stat.st_mtime.to_string().into_bytes());
        }
        if name.len() > NAME_LENGTH {
            entry.extend("path", name);
        }
        entry
    }

    fn target(&mut self, target: &[u8]) {
        fill(&mut self.header.as_old_mut().linkname, target);
        if target.len() > NAME_LENGTH {
            self.extend("linkpath", target.to_vec());
        }
    }

    fn attributes(&mut self, file: BorrowedFd<'_>) -> io::Result<()> {
        for (name, value) in layers::attributes(file)? {
            self.extend(&format!("SCHILY.xattr.{name}"), value);
        }
        Ok(())
    }

    fn extend(&mut self, key: &str, value: Vec<u8>) {
        self.extended.push((key.to_owned(), value));
    }

    /// What it takes in the tar, roughly: blocks of 512 bytes.
    fn length(&self) -> u64 {
        let extended = self.extended.iter();
        let bytes: usize = extended
            .map(|(key, value)| key.len() + value.len() + 512)
            .sum();
        u64::try_from(bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(1024)
    }
}

/// Its beginning, where it is longer than the field.
fn fill(field: &mut [u8], value: &[u8]) {
    for (to, from) in field.iter_mut().zip(value) {
        *to = *from;
    }
}
