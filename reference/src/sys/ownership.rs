//! Who the files belong to that a thread makes.

use std::io;

use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use rustix::thread::{CapabilitySets, capabilities, set_capabilities};

/// A user and a group, as the host counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user's id.
    pub uid: u32,
    /// The group's id.
    pub gid: u32,
}

/// While it lasts, files that this thread makes belong to somebody else. The thread keeps its capabilities.
#[derive(Debug)]
pub struct Guise {
    before: (Uid, Gid),
    held: CapabilitySets,
}

impl Guise {
    /// Takes it on.
    ///
    /// # Errors
    /// If this process may not.
    pub fn of(owner: Owner) -> io::Result<Self> {
        let held = capabilities(None)?;
        let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
        let guise = Self {
            before: (setfsuid(uid), setfsgid(gid)),
            held,
        };
        // The kernel takes some away from whoever is not root, and does not say whether it did what it was asked.
        set_capabilities(None, held)?;
        if (setfsuid(uid), setfsgid(gid)) == (uid, gid) {
            set_capabilities(None, held)?;
            Ok(guise)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

impl Drop for Guise {
    fn drop(&mut self) {
        setfsuid(self.before.0);
        setfsgid(self.before.1);
        let _ = set_capabilities(None, self.held);
    }
}

/// Does something in a thread of its own, whose files belong to `owner`; without one, here.
///
/// # Errors
/// If this process may not make files for others.
pub fn for_owner<T: Send>(owner: Option<Owner>, act: impl FnOnce() -> T + Send) -> io::Result<T> {
    let Some(owner) = owner else {
        return Ok(act());
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let _guise = Guise::of(owner)?;
            Ok(act())
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("it failed unexpectedly")))
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use super::*;

    #[test]
    fn files_are_made_for_others_and_nothing_is_kept_of_it() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let owner = Owner {
            uid: 100_000,
            gid: 200_000,
        };
        // In a directory of root's, where that user may not write.
        for_owner(Some(owner), || fs::write(path("theirs"), "").unwrap()).unwrap();
        fs::write(path("ours"), "").unwrap();
        let ids = |name: &str| {
            fs::metadata(path(name))
                .map(|m| (m.uid(), m.gid()))
                .unwrap()
        };
        assert_eq!(ids("theirs"), (100_000, 200_000));
        assert_eq!(ids("ours"), (0, 0));
        let guise = Guise::of(owner).unwrap();
        fs::write(path("other"), "").unwrap();
        drop(guise);
        assert_eq!(ids("other"), (100_000, 200_000));
        fs::write(path("last"), "").unwrap();
        assert_eq!(ids("last"), (0, 0));
    }
}
