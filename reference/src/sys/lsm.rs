//! Linux security modules: AppArmor and its profiles, SELinux.

use std::{fs, io, path::Path};

/// The profile of processes that AppArmor keeps from nothing.
pub const UNCONFINED: &str = "unconfined";

const APPARMOR: &str = "/sys/module/apparmor/parameters/enabled";
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
const SELINUX: &str = "/sys/fs/selinux/enforce";

/// Whether AppArmor is in use.
#[must_use]
pub fn has_apparmor() -> bool {
    fs::read_to_string(APPARMOR).is_ok_and(|text| text.starts_with('Y'))
}

/// Whether AppArmor knows a profile of this name.
///
/// # Errors
/// If it does not tell its profiles.
pub fn has_apparmor_profile(name: &str) -> io::Result<bool> {
    Ok(lists(&fs::read_to_string(PROFILES)?, name))
}

/// A line for each: the name, and in parentheses its mode.
fn lists(profiles: &str, name: &str) -> bool {
    let names = profiles.lines().filter_map(|line| line.rsplit_once(" ("));
    names.into_iter().any(|(known, _)| known == name)
}

/// Whether SELinux is in use.
#[must_use]
pub fn has_selinux() -> bool {
    Path::new(SELINUX).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_known_by_its_whole_name() {
        let profiles = "docker-default (enforce)\n/usr/bin/a b (complain)\n";
        assert!(lists(profiles, "docker-default"));
        assert!(lists(profiles, "/usr/bin/a b"));
        assert!(!lists(profiles, "docker"));
        assert!(!lists(profiles, "docker-default (enforce)"));
    }
}
