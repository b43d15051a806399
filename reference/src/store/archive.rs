//! A tar on the server's disk as a stream of bytes: decompressed, digested, and never more of them than allowed.

use std::{
    cell::Cell,
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    rc::Rc,
};

use sha2::{Digest, Sha256};

use super::{ArchiveError, LayerId};

/// How much an archive may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries: a layer of a large distribution has some 200,000.
    pub entries: u64,
    /// Bytes of the uncompressed stream, and bytes of all files: bounds what a small compressed archive can fill.
    pub bytes: u64,
    /// Bytes that describe one entry (long names, extended attributes): these are held in memory.
    pub entry_header_bytes: u64,
}

impl Limits {
    /// What the engine uses.
    pub const STANDARD: Self = Self {
        entries: 1_000_000,
        bytes: 16 << 30,
        entry_header_bytes: 4 << 20,
    };
}

/// What can still be read, and what kept the stream from being read, shared by the stream and the one who walks its entries.
#[derive(Debug)]
pub(super) struct Budget {
    total: Cell<u64>,
    header: Cell<u64>,
    exceeded: Cell<Option<&'static str>>,
    failed: Cell<bool>,
}

impl Budget {
    /// Until [`Self::body`], only so many bytes can be read.
    pub(super) fn header(&self, bytes: u64) {
        self.header.set(bytes);
    }

    /// Lifts the limit that [`Self::header`] set.
    pub(super) fn body(&self) {
        self.header.set(u64::MAX);
    }

    /// Which limit was hit, if any.
    pub(super) fn exceeded(&self) -> Option<&'static str> {
        self.exceeded.get()
    }

    /// Whether the source could not be read.
    pub(super) fn failed(&self) -> bool {
        self.failed.get()
    }

    fn take(&self, bytes: u64) {
        self.total.set(self.total.get().saturating_sub(bytes));
        if self.header.get() != u64::MAX {
            self.header.set(self.header.get().saturating_sub(bytes));
        }
    }
}

/// The uncompressed stream.
pub(super) struct Stream {
    source: Box<dyn Read>,
    digest: Sha256,
    budget: Rc<Budget>,
}

impl Stream {
    pub(super) fn new(source: Box<dyn Read>, limits: Limits) -> Self {
        let budget = Budget {
            total: Cell::new(limits.bytes),
            header: Cell::new(u64::MAX),
            exceeded: Cell::new(None),
            failed: Cell::new(false),
        };
        Self {
            source,
            digest: Sha256::new(),
            budget: Rc::new(budget),
        }
    }

    pub(super) fn budget(&self) -> Rc<Budget> {
        Rc::clone(&self.budget)
    }

    /// Reads what is left, and names the whole.
    pub(super) fn finish(mut self) -> io::Result<LayerId> {
        self.budget.body();
        let mut rest = vec![0_u8; 64 << 10];
        while self.read(&mut rest)? > 0 {}
        Ok(LayerId::of_digest(&self.digest.finalize().into()))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let allowed = self.budget.total.get().min(self.budget.header.get());
        if allowed == 0 && !buffer.is_empty() {
            let total = self.budget.total.get() == 0;
            let what = if total { "bytes" } else { "bytes of header" };
            self.budget.exceeded.set(Some(what));
            return Err(io::Error::other("archive limit"));
        }
        let length = usize::try_from(allowed).map_or(buffer.len(), |n| n.min(buffer.len()));
        let (buffer, _) = buffer.split_at_mut(length);
        let read = self.source.read(buffer).inspect_err(|error| {
            let again = error.kind() == io::ErrorKind::Interrupted;
            self.budget.failed.set(!again);
        })?;
        let (content, _) = buffer.split_at(read);
        self.digest.update(content);
        self.budget.take(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Opens an archive; the compression is found by its first bytes, not by its name.
pub(super) fn open(path: &Path, limits: Limits) -> Result<Stream, ArchiveError> {
    let failed = |source| ArchiveError::Open {
        path: path.to_owned(),
        source,
    };
    let mut file = open_regular(path).map_err(failed)?;
    let mut magic = [0_u8; 6];
    let length = read_up_to(&mut file, &mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let start = magic.get(..length).unwrap_or_default();
    Ok(Stream::new(decompress(start, file, path)?, limits))
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a FIFO must not block.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(nonblocking).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

fn decompress(start: &[u8], file: File, path: &Path) -> Result<Box<dyn Read>, ArchiveError> {
    let unsupported = |kind| ArchiveError::Compression {
        path: path.to_owned(),
        kind,
    };
    let file = BufReader::with_capacity(128 << 10, file);
    match start {
        [0x1f, 0x8b, ..] => Ok(Box::new(flate2::bufread::MultiGzDecoder::new(file))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match zstd::stream::Decoder::with_buffer(file) {
            Ok(decoder) => Ok(Box::new(decoder)),
            Err(error) => Err(ArchiveError::Read(error)),
        },
        [b'B', b'Z', b'h', ..] => Err(unsupported("bzip2")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(unsupported("xz")),
        _ => Ok(Box::new(file)),
    }
}
