//! Overlay mounts, and their removal.

use std::{
    ffi::CString,
    fs::{self, File},
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags},
    io::Errno,
    mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, move_mount, open_tree},
};

use super::user_namespace;

/// So that an overlay's upper directory is by itself what was changed: neither renames nor metadata are stored apart from their
/// files.
const WHOLE: &str = "redirect_dir=off,metacopy=off";

/// The kernel's defaults for what a mount's options do not say.
const DEFAULTS: &str = "/sys/module/overlay/parameters";

/// What an overlay mount is made of.
#[derive(Debug)]
pub struct Overlay<'a> {
    /// The read-only layers, uppermost first.
    pub lower: &'a [&'a Path],
    /// Takes what is written.
    pub upper: &'a Path,
    /// The kernel's scratch directory, on the same filesystem as `upper`.
    pub work: &'a Path,
}

impl Overlay<'_> {
    /// Mounts it on the existing directory `target`.
    ///
    /// The layers are named as `/proc/self/fd/N`: the kernel takes at most a page of options, and a path may hold `,` or `:`.
    pub fn mount(&self, target: &Path) -> io::Result<()> {
        let lower: Vec<OwnedFd> = self
            .lower
            .iter()
            .map(|p| directory(p))
            .collect::<Result<_, _>>()?;
        let (upper, work) = (directory(self.upper)?, directory(self.work)?);
        mount_on(target, &lower, &name(&upper), &name(&work))
    }

    /// As [`Overlay::mount`], with the ids of files mapped as in a user namespace: what is stored keeps the ids inside. For
    /// a thread whose files belong to somebody who has an id there; `upper` and `work` have one parent.
    ///
    /// The kernel takes layers from mounts that are attached somewhere, so they are, one over the other on `target`, for as long
    /// as that takes.
    pub fn mount_mapped(&self, target: &Path, user_namespace: &File) -> io::Result<()> {
        let of_both = self
            .upper
            .parent()
            .filter(|parent| self.work.parent() == Some(parent));
        let own = of_both.ok_or(io::ErrorKind::InvalidInput)?;
        let mapped = |path: &Path| {
            let tree = user_namespace::mapped(path, user_namespace)?;
            attach(&tree, target)?;
            io::Result::Ok(tree)
        };
        let mounted = || {
            let lower: Vec<OwnedFd> = self
                .lower
                .iter()
                .map(|p| mapped(p))
                .collect::<Result<_, _>>()?;
            let own = mapped(own)?;
            let below = |path: &Path| {
                let last = path.file_name().unwrap_or_default().to_string_lossy();
                format!("{}/{last}", name(&own))
            };
            mount_on(target, &lower, &below(self.upper), &below(self.work))?;
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            Ok(open_tree(CWD, target, flags)?)
        };
        let mounted: io::Result<OwnedFd> = mounted();
        unmount_all(target)?;
        attach(&mounted?, target)
    }
}

fn attach(tree: &OwnedFd, target: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(tree, "", CWD, target, flags)?)
}

fn mount_on(target: &Path, lower: &[OwnedFd], upper: &str, work: &str) -> io::Result<()> {
    let names: Vec<String> = lower.iter().map(name).collect();
    let options = format!(
        "lowerdir={},upperdir={upper},workdir={work},{WHOLE}",
        names.join(":"),
    );
    let options = CString::new(options).map_err(io::Error::other)?;
    Ok(rustix::mount::mount(
        "overlay",
        target,
        "overlay",
        MountFlags::empty(),
        options.as_c_str(),
    )?)
}

fn directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn name(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Detaches whatever is mounted on `target`; nothing mounted, or no such path, is fine.
pub fn unmount_all(target: &Path) -> io::Result<()> {
    loop {
        match rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the upper directory of an [`Overlay`] is by itself what was changed in it.
#[must_use]
pub fn changes_are_whole() -> bool {
    !stores_apart(WHOLE, Path::new(DEFAULTS))
}

/// Whether an overlay with these options may note a rename, or new metadata, without the file that it is of. A feature that the
/// options do not name is as its default says; one without a default the kernel does not have.
fn stores_apart(options: &str, defaults: &Path) -> bool {
    ["redirect_dir", "metacopy"].into_iter().any(|feature| {
        let mut named = options
            .split(',')
            .filter_map(|option| option.split_once('='));
        match named.find(|(name, _)| *name == feature) {
            Some((_, value)) => value == "on",
            None => {
                fs::read_to_string(defaults.join(feature)).is_ok_and(|value| value.trim() == "Y")
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::of_the_engine(WHOLE, "Y", "Y", false)]
    #[case::by_default_off("index=on", "N", "N", false)]
    #[case::redirects_by_default("", "Y", "N", true)]
    #[case::metadata_by_default("redirect_dir=off", "Y", "Y", true)]
    #[case::redirects_asked_for("redirect_dir=on,metacopy=off", "N", "N", true)]
    #[case::metadata_asked_for("redirect_dir=off,metacopy=on", "N", "N", true)]
    #[case::redirects_only_followed("redirect_dir=follow", "Y", "N", false)]
    fn options_go_before_defaults(
        #[case] options: &str,
        #[case] redirect_dir: &str,
        #[case] metacopy: &str,
        #[case] apart: bool,
    ) {
        let defaults = tempfile::tempdir().unwrap();
        for (name, value) in [("redirect_dir", redirect_dir), ("metacopy", metacopy)] {
            fs::write(defaults.path().join(name), format!("{value}\n")).unwrap();
        }
        assert_eq!(stores_apart(options, defaults.path()), apart);
    }

    #[test]
    fn a_kernel_without_the_features_stores_nothing_apart() {
        let defaults = tempfile::tempdir().unwrap();
        assert!(!stores_apart("", defaults.path()));
    }
}
