//! Seccomp filters: the programs by which the kernel decides about system calls.
#![allow(unsafe_code)]

use std::{io, ptr};

use nix::{errno::Errno, libc};
use serde::{Deserialize, Serialize};

/// What one instruction takes.
const INSTRUCTION: usize = 8;
/// The longest program that the kernel takes.
const INSTRUCTIONS: usize = 4096;

/// A program, and how it is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Each is a `sock_filter` in the machine's own byte order.
    instructions: Vec<u64>,
    flags: Flags,
}

/// How a filter is loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// What it denies is written to the kernel's log.
    pub log: bool,
    /// Its processes are not slowed down to keep a flaw of the processor (speculative store bypass) from them.
    pub allow_speculation: bool,
}

impl Filter {
    /// A program as libseccomp writes it; `None` if it is none, or too long.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], flags: Flags) -> Option<Self> {
        let (instructions, rest) = bytes.as_chunks::<INSTRUCTION>();
        let fits = (1..=INSTRUCTIONS).contains(&instructions.len());
        (fits && rest.is_empty()).then(|| Self {
            instructions: instructions
                .iter()
                .map(|i| u64::from_ne_bytes(*i))
                .collect(),
            flags,
        })
    }

    /// The program, as it was given.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.instructions
            .iter()
            .flat_map(|i| i.to_ne_bytes())
            .collect()
    }

    /// Puts it on this process for good, and on all that it starts. Takes CAP_SYS_ADMIN, or `no_new_privs`.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub fn load(&self) -> io::Result<()> {
        let program = libc::sock_fprog {
            len: u16::try_from(self.instructions.len()).map_err(io::Error::other)?,
            filter: self
                .instructions
                .as_ptr()
                .cast::<libc::sock_filter>()
                .cast_mut(),
        };
        // SAFETY: the program and its instructions outlive the call; a u64 is as large as an instruction and aligned enough, and
        // the kernel only reads.
        let done = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                self.flags.bits(),
                ptr::from_ref(&program),
            )
        };
        Errno::result(done).map(drop).map_err(Into::into)
    }
}

impl Flags {
    fn bits(self) -> libc::c_ulong {
        let log = if self.log {
            libc::SECCOMP_FILTER_FLAG_LOG
        } else {
            0
        };
        let speculation = if self.allow_speculation {
            libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW
        } else {
            0
        };
        log | speculation
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing(0, false)]
    #[case::cut(12, false)]
    #[case::one(8, true)]
    #[case::longest(4096 * 8, true)]
    #[case::too_long(4097 * 8, false)]
    fn a_program_has_whole_instructions_and_not_too_many(#[case] bytes: usize, #[case] good: bool) {
        let bytes: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        let filter = Filter::from_bytes(&bytes, Flags::default());
        assert_eq!(filter.is_some(), good);
        assert!(filter.is_none_or(|filter| filter.to_bytes() == bytes));
    }
}
