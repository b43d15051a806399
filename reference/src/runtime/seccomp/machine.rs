//! This machine in the words of seccomp profiles.

use oci_spec::runtime::Arch;

/// Its architecture.
#[cfg(target_arch = "x86_64")]
pub(super) const ARCH: Arch = Arch::ScmpArchX86_64;
#[cfg(target_arch = "aarch64")]
pub(super) const ARCH: Arch = Arch::ScmpArchAarch64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const ARCH: Arch = Arch::ScmpArchNative;

/// Its name in the conditions of Docker's profiles.
#[cfg(target_arch = "x86_64")]
pub(super) const NAME: &str = "amd64";
#[cfg(target_arch = "aarch64")]
pub(super) const NAME: &str = "arm64";
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const NAME: &str = std::env::consts::ARCH;
