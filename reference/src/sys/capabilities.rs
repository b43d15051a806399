//! Capabilities by name, and those that this process has to give.

use std::io;

pub use rustix::thread::CapabilitySet;
use rustix::thread::{capabilities, capability_is_in_bounding_set};

const PREFIX: &str = "CAP_";

/// The capabilities that a program started by this process can have.
///
/// # Errors
/// If the kernel does not tell.
pub fn held() -> io::Result<CapabilitySet> {
    let permitted = capabilities(None)?.permitted;
    let mut held = CapabilitySet::empty();
    for (_, one) in permitted.iter_names() {
        if capability_is_in_bounding_set(one)? {
            held |= one;
        }
    }
    Ok(held)
}

/// The capability of this name, with or without `CAP_`, in either case.
#[must_use]
pub fn named(text: &str) -> Option<CapabilitySet> {
    let upper = text.to_ascii_uppercase();
    CapabilitySet::from_name(upper.strip_prefix(PREFIX).unwrap_or(&upper))
}

/// The kernel's names of these.
pub fn names(set: CapabilitySet) -> impl Iterator<Item = String> {
    set.iter_names().map(|(name, _)| format!("{PREFIX}{name}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("SYS_ADMIN", Some("CAP_SYS_ADMIN"))]
    #[case("cap_sys_admin", Some("CAP_SYS_ADMIN"))]
    #[case("Cap_Chown", Some("CAP_CHOWN"))]
    #[case("CAP_CAP_CHOWN", None)]
    #[case("CAP_", None)]
    #[case("", None)]
    #[case("0x1", None)]
    #[case("CHOWN | KILL", None)]
    fn a_name_counts_in_every_usual_spelling(#[case] text: &str, #[case] name: Option<&str>) {
        assert_eq!(
            named(text).and_then(|one| names(one).next()).as_deref(),
            name
        );
    }

    #[test]
    fn what_is_held_is_what_the_kernel_says() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = |key| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap()
        };
        let bits = |key| u64::from_str_radix(line(key).trim(), 16).unwrap();
        assert_eq!(held().unwrap().bits(), bits("CapPrm:") & bits("CapBnd:"));
    }
}
