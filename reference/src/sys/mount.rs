//! Overlay mounts, their removal, and what kind of filesystem a path is on.

use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    mount::{MountFlags, UnmountFlags},
};

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
    /// Neither renames nor metadata are stored apart from their files, so that `upper` is by itself the container's changes.
    /// The layers are named as `/proc/self/fd/N`: the kernel takes at most a page of options, and a path may hold `,` or `:`.
    pub fn mount(&self, target: &Path) -> io::Result<()> {
        let lower: Vec<OwnedFd> = self
            .lower
            .iter()
            .map(|p| directory(p))
            .collect::<Result<_, _>>()?;
        let (upper, work) = (directory(self.upper)?, directory(self.work)?);
        let names: Vec<String> = lower.iter().map(name).collect();
        let options = format!(
            "lowerdir={},upperdir={},workdir={},redirect_dir=off,metacopy=off",
            names.join(":"),
            name(&upper),
            name(&work)
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

/// The filesystem that `path` is on, by the name that users of Linux know it by; its magic number when it is an unknown one.
pub fn filesystem_name(path: &Path) -> io::Result<String> {
    let kind = rustix::fs::statfs(path)?.f_type;
    Ok(match kind {
        0xEF53 => "extfs".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683E => "btrfs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x794C_7630 => "overlayfs".into(),
        0x2FC1_2FC1 => "zfs".into(),
        0x6969 => "nfs".into(),
        0xF2F5_2010 => "f2fs".into(),
        0x6573_5546 => "fuse".into(),
        other => format!("{other:#x}"),
    })
}
