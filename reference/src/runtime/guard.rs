//! Looks whether a container's mounts are where they were meant to be, before its program runs.
//!
//! The runtime library resolves the place of each mount inside the root filesystem. Another container that shares a volume may lead
//! it elsewhere in there meanwhile: over /proc, and what is masked or read-only in it would be neither.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use oci_spec::runtime::{LinuxNamespaceType, Spec};

use crate::sys::process::Pid;

/// What nothing else may be mounted on.
const FIXED: [&str; 4] = ["/", "/proc", "/sys", "/dev"];
/// What nothing else may be mounted below.
const GUARDED: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Compares the mounts of process 1, as the kernel tells them, with the configuration.
pub(super) fn check(pid: Pid, spec: &Spec) -> io::Result<()> {
    let table = fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
    match stray(&table, expected(spec, in_user_namespace()?)) {
        None => Ok(()),
        Some(path) => Err(io::Error::other(format!(
            "volumes: something else than was meant is mounted at {}",
            path.display()
        ))),
    }
}

/// The first place in a mount table that is not as expected.
fn stray(table: &str, mut expected: HashMap<PathBuf, usize>) -> Option<PathBuf> {
    let mut seen = Vec::new();
    for point in table.lines().filter_map(mount_point) {
        let is_guarded = GUARDED.iter().any(|path| point.starts_with(path));
        if !is_guarded && point != Path::new("/") {
            continue;
        }
        match expected.get_mut(&point) {
            Some(left @ 1..) => *left -= 1,
            _ => return Some(point),
        }
        seen.push(point);
    }
    let mut fixed = FIXED.iter().map(PathBuf::from);
    fixed.find(|path| !seen.contains(path))
}

/// How often something is mounted at each place, at most.
fn expected(spec: &Spec, bound_devices: bool) -> HashMap<PathBuf, usize> {
    let mut places = vec![PathBuf::from("/"), PathBuf::from("/dev/console")];
    let mounts = spec.mounts().iter().flatten();
    let mounts: Vec<PathBuf> = mounts.map(|mount| mount.destination().clone()).collect();
    if let Some(linux) = spec.linux() {
        places.extend(linux.masked_paths().iter().flatten().map(PathBuf::from));
        for read_only in linux.readonly_paths().iter().flatten() {
            // It is bound to itself, with all that is mounted below it.
            let below = mounts.iter().filter(|path| path.starts_with(read_only));
            let below = below.filter(|path| *path != Path::new(read_only));
            places.extend(below.cloned().chain([PathBuf::from(read_only)]));
        }
        let namespaces = linux.namespaces().iter().flatten();
        let mut kinds = namespaces.map(|namespace| namespace.typ());
        if bound_devices || kinds.any(|kind| kind == LinuxNamespaceType::User) {
            let devices = linux.devices().iter().flatten();
            places.extend(devices.map(|device| device.path().clone()));
            let standard = ["null", "zero", "full", "tty", "urandom", "random"];
            places.extend(standard.map(|name| Path::new("/dev").join(name)));
        }
    }
    let mut expected = HashMap::new();
    for place in places.into_iter().chain(mounts) {
        *expected.entry(place).or_insert(0) += 1;
    }
    expected
}

/// Whether the engine itself is in a user namespace; there the runtime library binds the host's device nodes.
fn in_user_namespace() -> io::Result<bool> {
    Ok(!fs::read_to_string("/proc/self/uid_map")?.contains("4294967295"))
}

/// The fifth field of a line, in which the kernel writes some characters as `\` and three octal digits.
fn mount_point(line: &str) -> Option<PathBuf> {
    let mut rest = line.split(' ').nth(4)?.bytes();
    let mut path = Vec::new();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| byte.checked_sub(b'0'));
        path.push(match byte {
            b'\\' => {
                let mut value = 0_u8;
                for _ in 0..3 {
                    value = value.wrapping_mul(8).wrapping_add(digit(rest.next())?);
                }
                value
            }
            byte => byte,
        });
    }
    Some(PathBuf::from(OsString::from_vec(path)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn table(points: &[&str]) -> String {
        let line = |point: &&str| format!("30 20 0:1 / {point} rw shared:1 - tmpfs tmpfs rw\n");
        points.iter().map(line).collect()
    }

    fn spec() -> Spec {
        let mut spec = Spec::default();
        let mut mounts = spec.mounts().clone().unwrap();
        mounts.retain(|mount| mount.destination() != Path::new("/dev/shm"));
        let mut volume = mounts[0].clone();
        volume.set_destination("/dev/a b".into());
        mounts.push(volume);
        spec.set_mounts(Some(mounts));
        spec
    }

    #[rstest]
    #[case::as_meant(&[], None)]
    #[case::elsewhere(&["/data", "/data/proc"], None)]
    #[case::read_only(&["/proc/sys"], None)]
    #[case::with_a_blank("/dev/a\\040b".split(' ').collect::<Vec<_>>().leak(), None)]
    #[case::on_the_root(&["/"], Some("/"))]
    #[case::on_proc(&["/proc"], Some("/proc"))]
    #[case::below_proc(&["/proc/1"], Some("/proc/1"))]
    #[case::twice(&["/proc/sys", "/proc/sys"], Some("/proc/sys"))]
    #[case::below_dev(&["/dev/shm"], Some("/dev/shm"))]
    #[case::on_a_device(&["/dev/null"], Some("/dev/null"))]
    fn what_was_not_meant_is_found(#[case] more: &[&str], #[case] found: Option<&str>) {
        let fixed = ["/", "/proc", "/sys", "/dev", "/dev/pts"];
        let table = table(&[&fixed, more].concat());
        let expected = expected(&spec(), false);
        assert_eq!(stray(&table, expected), found.map(PathBuf::from));
    }

    #[test]
    fn what_is_missing_is_found() {
        let expected = expected(&spec(), false);
        let missing = stray(&table(&["/", "/dev", "/sys"]), expected);
        assert_eq!(missing, Some("/proc".into()));
    }
}
