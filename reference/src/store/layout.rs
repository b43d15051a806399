//! Where things are below root and runroot, the layout's version, and the lock that keeps a second engine out.

use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions},
    os::{
        fd::AsFd,
        unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf, absolute},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::fs::FlockOperation;

use super::{ContainerId, ImageId, LayerId, StoreError, beside, record, volume::OWN};
use crate::sys::{tree, wait::until_let_go};

/// The version of the layout that this program reads and writes.
const VERSION: u32 = 1;

/// The name of every record in its directory.
pub(super) const RECORD: &str = "record.json";

/// A socket's address has 107 bytes, of which `/run/`, a run directory's name and the socket's own take the rest.
const RUNROOT_LIMIT: usize = 107 - "/run/".len() - ContainerId::SHORT - "/attach".len();

/// The paths.
#[derive(Debug)]
pub struct Layout {
    root: PathBuf,
    runroot: PathBuf,
    trash: File,
    // Root and runroot, open, so that no other directory can be taken for them.
    roots: [File; 2],
    // Held, not read: closing them lets the next engine in.
    _locks: [File; 2],
}

impl Layout {
    /// Takes the locks, checks the version, creates what is missing and empties the staging area.
    pub(super) fn open(root: &Path, runroot: &Path) -> Result<Self, StoreError> {
        // Monitors have another working directory.
        let root = &absolute(root).map_err(StoreError::io("cannot use", root))?;
        let runroot = &absolute(runroot).map_err(StoreError::io("cannot use", runroot))?;
        if runroot.as_os_str().len() > RUNROOT_LIMIT {
            return Err(StoreError::LongRunroot {
                path: runroot.to_owned(),
                limit: RUNROOT_LIMIT,
            });
        }
        create_private(root)?;
        create_private(runroot)?;
        let locks = [lock(&root.join("lock"))?, lock(&runroot.join("lock"))?];
        check_version(root)?;
        for below in [
            "images",
            "layers",
            "containers",
            "volumes",
            "staging",
            "set-aside",
        ] {
            create_private(&root.join(below))?;
        }
        for below in ["run", "mounts"] {
            create_private(&runroot.join(below))?;
        }
        let staging = root.join("staging");
        let trash = File::open(&staging).map_err(StoreError::io("cannot open", &staging))?;
        let open = |path: &PathBuf| File::open(path).map_err(StoreError::io("cannot open", path));
        let layout = Self {
            roots: [open(root)?, open(runroot)?],
            root: root.to_owned(),
            runroot: runroot.to_owned(),
            trash,
            _locks: locks,
        };
        layout.empty_staging()?;
        Ok(layout)
    }

    fn empty_staging(&self) -> Result<(), StoreError> {
        for name in names(&self.staging())? {
            beside::clear_up(self, &name);
            self.remove(&self.staging().join(name))?;
        }
        Ok(())
    }

    /// Where unfinished things are built; emptied at start-up.
    pub(super) fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// All layers.
    pub(super) fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// One layer: its record, and its files in `diff`.
    pub(super) fn layer(&self, id: &LayerId) -> PathBuf {
        self.layers().join(id.as_str())
    }

    /// The files of a layer.
    #[must_use]
    pub fn layer_files(&self, id: &LayerId) -> PathBuf {
        self.layer(id).join("diff")
    }

    /// All images.
    pub(super) fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// One image: its record and its configuration.
    pub(super) fn image(&self, id: &ImageId) -> PathBuf {
        self.images().join(id.as_str())
    }

    /// All containers.
    pub(super) fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// One container: its record, `upper` and `work`; survives a reboot.
    #[must_use]
    pub fn container(&self, id: &ContainerId) -> PathBuf {
        self.containers().join(id.as_str())
    }

    /// The volumes of a container's own, by their numbers.
    #[must_use]
    pub fn own_volumes(&self, id: &ContainerId) -> PathBuf {
        self.container(id).join(OWN)
    }

    /// The volumes that have names, by these.
    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// A volume that has a name.
    pub(super) fn volume(&self, name: &str) -> PathBuf {
        self.volumes().join(name)
    }

    /// The run directories of all containers.
    #[must_use]
    pub fn run_directories(&self) -> PathBuf {
        self.runroot.join("run")
    }

    /// What a container's monitor keeps only until the next reboot. It holds sockets, so that its path must be short.
    #[must_use]
    pub fn run_directory(&self, id: &ContainerId) -> PathBuf {
        self.run_directories().join(id.short())
    }

    /// The mount points of all containers.
    #[must_use]
    pub fn mount_points(&self) -> PathBuf {
        self.runroot.join("mounts")
    }

    /// Where a container's root filesystem is mounted while it runs. Apart from the run directory, so that removing that
    /// one with all its content never reaches into a container.
    #[must_use]
    pub fn mount_point(&self, id: &ContainerId) -> PathBuf {
        self.mount_points().join(id.as_str())
    }

    /// Where records go that cannot be read.
    pub(super) fn set_aside(&self) -> PathBuf {
        self.root.join("set-aside")
    }

    /// The root directory, as configured.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The run directory, as configured.
    #[must_use]
    pub fn runroot(&self) -> &Path {
        &self.runroot
    }

    /// Whether root and runroot are still where they were.
    ///
    /// # Errors
    /// [`StoreError::Gone`] with the one that is not: its disk was unmounted, or somebody moved or removed it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (held, path) in self.roots.iter().zip([&self.root, &self.runroot]) {
            let number = |file: std::io::Result<Metadata>| file.ok().map(|f| (f.dev(), f.ino()));
            if number(held.metadata()) != number(path.metadata()) {
                return Err(StoreError::Gone(path.clone()));
            }
        }
        Ok(())
    }

    /// A directory of one's own in the staging area, gone when dropped unless it was renamed away.
    pub(super) fn stage(&self) -> Result<Staged<'_>, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("new-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let path = self.staging().join(name);
        self.check()?;
        create_private(&path)?;
        Ok(Staged { layout: self, path })
    }

    /// The staging area, for what is to be removed piece by piece.
    pub(super) fn trash(&self) -> &File {
        &self.trash
    }

    /// Removes `path`, which is below root, with all its content. Whole or not at all: it is first renamed into the staging area.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        self.discard(path)?.finish()
    }

    /// The quick half of [`Self::remove`]: after it, `path` is gone, also should the power go, and the rest costs only time.
    pub(super) fn discard(&self, path: &Path) -> Result<Discarded, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let aside = loop {
            let name = format!("old-{}", NEXT.fetch_add(1, Ordering::Relaxed));
            let aside = self.staging().join(name);
            if !aside.exists() {
                break aside;
            }
        };
        // What seems to be gone already may be out of sight.
        self.check()?;
        match std::fs::rename(path, &aside) {
            Ok(()) => path.parent().map_or(Ok(()), record::sync_directory)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("cannot remove", path)(error)),
        }
        let trash = self.trash.try_clone();
        let trash = trash.map_err(StoreError::io("cannot open", self.staging()))?;
        Ok(Discarded { trash, path: aside })
    }

    /// Moves a damaged object out of the way, so that it neither counts nor is lost.
    pub(super) fn move_aside(&self, kind: &str, path: &Path) -> Result<PathBuf, StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut aside = self.set_aside().join(format!("{kind}-{name}"));
        let mut count = 1;
        while aside.exists() {
            count += 1;
            aside = self.set_aside().join(format!("{kind}-{name}-{count}"));
        }
        std::fs::rename(path, &aside).map_err(StoreError::io("cannot set aside", path))?;
        Ok(aside)
    }
}

/// Something that was moved into the staging area to be removed.
#[derive(Debug)]
#[must_use = "it takes space until it is finished"]
pub struct Discarded {
    trash: File,
    path: PathBuf,
}

impl Discarded {
    /// Removes it.
    pub fn finish(self) -> Result<(), StoreError> {
        tree::remove_all(rustix::fs::CWD, &self.path, self.trash.as_fd())
            .map_err(StoreError::io("cannot remove", self.path))
    }
}

/// A directory in the staging area.
#[derive(Debug)]
pub(super) struct Staged<'a> {
    layout: &'a Layout,
    path: PathBuf,
}

impl Staged<'_> {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it the object at `target`; `false` when there is one already. Durable once it returns.
    pub(super) fn commit(self, target: &Path) -> Result<bool, StoreError> {
        let new = rustix::fs::RenameFlags::NOREPLACE;
        let cwd = rustix::fs::CWD;
        match rustix::fs::renameat_with(cwd, &self.path, cwd, target, new) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => return Ok(false),
            Err(error) => return Err(StoreError::io("cannot create", target)(error.into())),
        }
        if let Some(parent) = target.parent() {
            record::sync_directory(parent)?;
        }
        Ok(true)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        let trash = self.layout.trash.as_fd();
        if let Err(error) = tree::remove_all(rustix::fs::CWD, &self.path, trash) {
            tracing::warn!(path = %self.path.display(), %error, "staged files stay until the next start");
        }
    }
}

/// The names in a directory.
pub(super) fn names(directory: &Path) -> Result<Vec<std::ffi::OsString>, StoreError> {
    std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
        .map_err(StoreError::io("cannot list", directory))
}

/// Creates a directory that only its owner can enter, parents included; an existing one stays as it is.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(StoreError::io("cannot create", path))
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let failed = || StoreError::io("cannot lock", path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(failed())?;
    let taken =
        until_let_go(
            || match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
                Err(error) => Err(failed()(error.into())),
            },
        );
    if taken? {
        Ok(file)
    } else {
        let directory = path.parent().unwrap_or(path);
        Err(StoreError::Locked(directory.to_owned()))
    }
}

fn check_version(root: &Path) -> Result<(), StoreError> {
    let path = root.join("version");
    match std::fs::read_to_string(&path) {
        Ok(found) if found.trim() == VERSION.to_string() => Ok(()),
        Ok(found) => Err(StoreError::Version {
            path,
            found: found.trim().chars().take(40).collect(),
            expected: VERSION,
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            record::write_bytes(root, "version", format!("{VERSION}\n").as_bytes())
        }
        Err(error) => Err(StoreError::io("cannot read", path)(error)),
    }
}
