//! Create's fields: what happens at start and end.

use std::path::{Component, Path, PathBuf};

use crate::{engine::request::LifecycleRequest, settings::Lifecycle};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &LifecycleRequest) -> Result<Lifecycle, String> {
    Ok(Lifecycle {
        remove: request.rm,
        pidfile: request.conmon_pidfile.as_deref().map(pidfile).transpose()?,
    })
}

/// A file that can be written, as far as can be told before.
fn pidfile(given: &str) -> Result<PathBuf, String> {
    let path = Path::new(given);
    let refused = |why: &str| Err(format!("conmon_pidfile: {given:?} {why}"));
    let is_plain = !given.contains('\0') && !given.ends_with('/');
    let named = matches!(path.components().next_back(), Some(Component::Normal(_)));
    match path.parent() {
        _ if !path.is_absolute() => refused("is not an absolute path"),
        Some(parent) if is_plain && named && !parent.is_dir() => {
            refused("is in a directory that is not there")
        }
        Some(_) if is_plain && named && !path.is_dir() => Ok(path.to_owned()),
        _ => refused("does not name a file"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::relative("x.pid")]
    #[case::relative_with_a_directory("tmp/x.pid")]
    #[case::no_directory("/no/such/directory/x.pid")]
    #[case::below_a_file("/proc/self/stat/x.pid")]
    #[case::a_directory("/proc")]
    #[case::as_a_directory("/proc/x.pid/")]
    #[case::no_name("/proc/..")]
    #[case::the_root("/")]
    #[case::a_null_byte("/proc/x\0")]
    fn what_cannot_be_written_is_refused_by_name(#[case] path: &str) {
        let why = pidfile(path).unwrap_err();
        assert!(why.starts_with("conmon_pidfile: "), "{why}");
    }

    #[test]
    fn a_new_file_and_one_that_is_there_are_fine() {
        for path in ["/proc/x.pid", "/proc/version"] {
            assert_eq!(pidfile(path).unwrap(), Path::new(path));
        }
    }
}
