//! What can go wrong in the store.

use std::{io, path::PathBuf};

/// A store error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Sockets below it could not be connected to.
    #[error("{} is too long for a runroot: its path may have {limit} bytes, for there are sockets below it", path.display())]
    LongRunroot {
        /// The path.
        path: PathBuf,
        /// Bytes.
        limit: usize,
    },
    /// A second engine.
    #[error("{path} is in use by another podman-reference", path = .0.display())]
    Locked(PathBuf),
    /// The layout is one that this program does not know.
    #[error("{path} says layout {found:?}, and only layout {expected} is known here", path = .path.display())]
    Version {
        /// The version file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What this program writes.
        expected: u32,
    },
    /// Root or runroot was there when the store was opened, and is not any more.
    #[error("{path} is not there any more, or another directory is in its place", path = .0.display())]
    Gone(PathBuf),
    /// A call to the kernel failed.
    #[error("{doing} {path}", path = .path.display())]
    Io {
        /// `cannot ...`, without the path.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record is not what this program wrote.
    #[error("{path} is damaged", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// Files do not fit together.
    #[error("{path} is damaged: {reason}", path = .path.display())]
    Inconsistent {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The archive to import cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl StoreError {
    /// For `map_err` on an I/O result.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// Why an archive cannot be used. Each is the sender's fault, but for a full disk.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be opened, or is no regular file.
    #[error("cannot open {path}", path = .path.display())]
    Open {
        /// As given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A compression that is recognised but not supported.
    #[error("{path} is compressed with {kind}, which is not supported: give a plain, gzip or zstd tar", path = .path.display())]
    Compression {
        /// As given.
        path: PathBuf,
        /// `bzip2`, `xz`.
        kind: &'static str,
    },
    /// Its bytes cannot be had: the disk fails, or they are compressed and damaged.
    #[error("cannot read it")]
    Read(#[source] io::Error),
    /// It does not begin as an archive does. What it holds instead is not told: it may be anything.
    #[error("it is not a tar archive")]
    NotATar,
    /// It begins as an archive, and does not go on as one.
    #[error("the archive is cut short or damaged after entry {after}")]
    Damaged {
        /// How many entries were there.
        after: u64,
    },
    /// It holds no entry.
    #[error("the archive is empty")]
    Empty,
    /// It asks for more than we give.
    #[error("the archive is over the limit of {limit} {what}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// An entry that would leave the tree, or is of a kind that is not supported.
    #[error("archive entry {entry:?} is refused: {reason}")]
    Refused {
        /// The entry's name.
        entry: String,
        /// Why.
        reason: &'static str,
    },
    /// The kernel refused to make an entry.
    #[error("cannot create archive entry {entry:?}")]
    Entry {
        /// The entry's name.
        entry: String,
        /// Why.
        source: io::Error,
    },
}
