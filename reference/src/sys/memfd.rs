//! A sealed copy of a program in memory: executed from there, it cannot be overwritten by what it starts.

use std::{
    ffi::CStr,
    fs::File,
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, SealFlag, fcntl},
    sys::memfd::{MemFdCreateFlag, memfd_create},
};

/// MFD_EXEC (Linux 6.3): states that the copy will be executed, which `vm.memfd_noexec=1` asks for.
const EXECUTABLE: MemFdCreateFlag = MemFdCreateFlag::from_bits_retain(0x10);
const NAME: &CStr = c"podman-reference";

/// A program that nobody can write to any more.
#[derive(Debug)]
pub struct SealedProgram(OwnedFd);

impl SealedProgram {
    /// Copies `program` into memory and seals the copy.
    ///
    /// # Errors
    /// If it cannot be read, or the kernel refuses executable memory files (`vm.memfd_noexec=2`).
    pub fn copy_of(program: &Path) -> io::Result<Self> {
        let base = MemFdCreateFlag::MFD_CLOEXEC | MemFdCreateFlag::MFD_ALLOW_SEALING;
        let copy = match memfd_create(NAME, base | EXECUTABLE) {
            Err(Errno::EINVAL) => memfd_create(NAME, base)?,
            other => other?,
        };
        let mut copy = File::from(copy);
        io::copy(&mut File::open(program)?, &mut copy)?;
        let seals = SealFlag::F_SEAL_WRITE
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_SEAL;
        fcntl(copy.as_raw_fd(), FcntlArg::F_ADD_SEALS(seals))?;
        Ok(Self(copy.into()))
    }

    /// A path that executes the copy, valid in this process and in a child that has not yet executed another program.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}
