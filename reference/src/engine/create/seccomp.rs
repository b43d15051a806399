//! Create's field: seccomp_profile_path.

use std::path::Path;

use super::security_opts::{SecurityOpts, merge};
use crate::{runtime::Profile, settings::Seccomp, sys::tree::Tree};

/// No filter.
const UNCONFINED: &str = "unconfined";
/// Profiles are read up to this size; the usual one has some ten kilobytes.
const LARGEST: u64 = 1 << 20;

/// The filter that was asked for, by the field or a word; the error names the field and the path. The file is read here, where
/// the caller is still there to hear what is wrong with it, and never again.
pub(super) fn check(path: Option<&str>, words: &SecurityOpts) -> Result<Seccomp, String> {
    let field = ("seccomp_profile_path", path.map(str::to_owned));
    match merge(field, ("seccomp", words.seccomp.clone()))?.as_deref() {
        None => Ok(Seccomp::Default),
        Some(UNCONFINED) => Ok(Seccomp::Unconfined),
        Some(path) => {
            let refused = |why: String| format!("seccomp_profile_path: {path:?}: {why}");
            let text = read(Path::new(path)).map_err(refused)?;
            Profile::parse(&text).map_err(refused)?;
            Ok(Seccomp::Profile(text))
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    if !path.is_absolute() {
        return Err("not an absolute path".into());
    }
    let root = Tree::open(Path::new("/")).map_err(|error| error.to_string())?;
    let content = root
        .read(path, LARGEST + 1)
        .map_err(|error| error.to_string())?
        .ok_or("no such file")?;
    if u64::try_from(content.len()).is_ok_and(|length| length > LARGEST) {
        return Err(format!("longer than {LARGEST} bytes"));
    }
    String::from_utf8(content).map_err(|_| "not text".into())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW"}"#;

    fn word(value: &str) -> SecurityOpts {
        SecurityOpts {
            seccomp: Some(value.into()),
            ..SecurityOpts::default()
        }
    }

    #[test]
    fn a_profile_is_kept_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("profile.json");
        std::fs::write(&file, PROFILE).unwrap();
        let path = file.to_str().unwrap();
        let kept = Seccomp::Profile(PROFILE.into());
        let none = SecurityOpts::default();
        assert_eq!(check(Some(path), &none), Ok(kept.clone()));
        assert_eq!(check(None, &word(path)), Ok(kept.clone()));
        assert_eq!(check(Some(path), &word(path)), Ok(kept));
        assert_eq!(check(None, &none), Ok(Seccomp::Default));
        assert_eq!(check(None, &word("unconfined")), Ok(Seccomp::Unconfined));
        assert!(check(Some(path), &word("unconfined")).is_err());
    }

    #[rstest]
    #[case::absent("/no/such/file")]
    #[case::relative("profile.json")]
    #[case::directory("/etc")]
    #[case::not_a_profile("/etc/passwd")]
    #[case::device("/dev/zero")]
    fn what_is_no_profile_is_refused(#[case] path: &str) {
        let error = check(Some(path), &SecurityOpts::default()).unwrap_err();
        let named = error.contains("seccomp_profile_path") && error.contains(path);
        assert!(named, "{error}");
    }
}
