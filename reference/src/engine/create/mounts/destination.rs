//! Where in a container something may be mounted.

use std::path::{Component, Path, PathBuf};

use crate::runtime::PROVIDED_FILES;

/// The kernel takes no longer path.
const LONGEST: usize = 4095;

/// What is in a container's /dev whatever it was asked for.
const DEVICES: [&str; 14] = [
    "console", "core", "fd", "full", "kcore", "null", "ptmx", "pts", "random", "stderr", "stdin",
    "stdout", "tty", "urandom",
];

/// A path as it was given, without what means nothing in it. The error says what is wrong.
pub(super) fn clean(path: &str) -> Result<PathBuf, String> {
    if path.is_empty() {
        return Err("has no DESTINATION".into());
    }
    if !path.starts_with('/') {
        return Err(format!("has a DESTINATION that is not absolute: {path:?}"));
    }
    if path.contains('\0') || path.len() > LONGEST {
        return Err("has a DESTINATION that is no path".into());
    }
    let path = Path::new(path);
    if path.components().any(|part| part == Component::ParentDir) {
        return Err("has .. in its DESTINATION".into());
    }
    let path: PathBuf = path.components().collect();
    allowed(&path)?;
    Ok(path)
}

/// Whether something may be mounted at a path without links.
pub(super) fn allowed(path: &Path) -> Result<(), String> {
    let refused = |why: &str| Err(format!("would be mounted at {}, {why}", path.display()));
    if path == Path::new("/") {
        return refused("which is the root filesystem");
    }
    for kernel in ["/proc", "/sys"] {
        if path.starts_with(kernel) {
            return refused("where the kernel's own files are, and what of them is hidden");
        }
    }
    let is_reserved = |name: &&str| path.starts_with(Path::new("/dev").join(name));
    if path == Path::new("/dev") || DEVICES.iter().chain(&["zero"]).any(is_reserved) {
        return refused("where the container's devices are");
    }
    let below = |(file, _): &(&str, &str)| path != Path::new(file) && path.starts_with(file);
    if PROVIDED_FILES.iter().any(below) {
        return refused("which is below a file");
    }
    if path.as_os_str().len() > LONGEST {
        return refused("a path that is too long");
    }
    Ok(())
}

/// Whether a path is that of a file which the engine writes for every container.
pub(super) fn is_provided(path: &Path) -> bool {
    PROVIDED_FILES
        .iter()
        .any(|(file, _)| path == Path::new(file))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("/data", "/data")]
    #[case::without_need("//data/./x/", "/data/x")]
    #[case::shared_memory("/dev/shm", "/dev/shm")]
    #[case::like_a_device("/dev/nullified", "/dev/nullified")]
    #[case::like_a_kernels("/process", "/process")]
    #[case::provided("/etc/hosts", "/etc/hosts")]
    fn what_may_be_mounted_over(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(clean(given), Ok(PathBuf::from(expected)));
    }

    #[rstest]
    #[case("")]
    #[case("data")]
    #[case("/")]
    #[case("//.")]
    #[case("/data/../x")]
    #[case("/proc")]
    #[case("/proc/sys/kernel")]
    #[case("/sys")]
    #[case("/sys/fs/cgroup")]
    #[case("/dev")]
    #[case("/dev/")]
    #[case("/dev/null")]
    #[case("/dev/zero")]
    #[case("/dev/pts/0")]
    #[case("/etc/hosts/x")]
    #[case("/a\0b")]
    fn what_may_not(#[case] given: &str) {
        assert!(clean(given).is_err());
    }
}
