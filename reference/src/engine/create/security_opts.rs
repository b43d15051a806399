//! Create's field security_opts: words that say the same as other fields.

/// What the words say; `None` where they say nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SecurityOpts {
    pub(super) no_new_privileges: Option<bool>,
    pub(super) seccomp: Option<String>,
    pub(super) apparmor: Option<String>,
    /// The parts of an SELinux label, such as `type:x`.
    pub(super) label: Vec<String>,
}

/// The word by which labels are not used.
const DISABLE: &str = "disable";

/// Reads the words; the error names the field and the word.
pub(super) fn read(words: &[String]) -> Result<SecurityOpts, String> {
    let mut opts = SecurityOpts::default();
    for word in words {
        let refused = |why: &str| format!("security_opts: {word:?}: {why}");
        let (key, value) = match word.split_once(['=', ':']) {
            Some((key, value)) => (key, Some(value)),
            None => (word.as_str(), None),
        };
        let kept = match (key, value) {
            ("no-new-privileges", None | Some("true")) => agree(&mut opts.no_new_privileges, true),
            ("no-new-privileges", Some("false")) => agree(&mut opts.no_new_privileges, false),
            ("seccomp", Some(path)) if !path.is_empty() => {
                agree(&mut opts.seccomp, path.to_owned())
            }
            ("apparmor", Some(profile)) if !profile.is_empty() => {
                agree(&mut opts.apparmor, profile.to_owned())
            }
            ("label", Some(DISABLE)) => true,
            ("label", Some(part)) if is_label(part) => {
                opts.label.push(part.to_owned());
                true
            }
            _ => return Err(refused("not known")),
        };
        if !kept {
            return Err(refused("another word says otherwise"));
        }
    }
    Ok(opts)
}

/// What a field and a word say about one thing; they must not differ.
pub(super) fn merge<T: PartialEq>(
    field: (&str, Option<T>),
    word: (&str, Option<T>),
) -> Result<Option<T>, String> {
    match (field.1, word.1) {
        (Some(one), Some(other)) if one != other => Err(format!(
            "{} and security_opts {} say different things",
            field.0, word.0
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// Whether the new value is the one that is there, if one is.
fn agree<T: PartialEq>(place: &mut Option<T>, value: T) -> bool {
    match place {
        Some(known) => *known == value,
        None => {
            *place = Some(value);
            true
        }
    }
}

fn is_label(part: &str) -> bool {
    let parts = ["user", "role", "type", "level", "filetype"];
    let split = part.split_once(':');
    split.is_some_and(|(key, value)| parts.contains(&key) && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn each_word_says_something() {
        let given = words(&[
            "no-new-privileges",
            "no-new-privileges:true",
            "seccomp=/a:b",
            "apparmor:unconfined",
            "label=disable",
            "label:type:x",
        ]);
        let expected = SecurityOpts {
            no_new_privileges: Some(true),
            seccomp: Some("/a:b".into()),
            apparmor: Some("unconfined".into()),
            label: words(&["type:x"]),
        };
        assert_eq!(read(&given), Ok(expected));
    }

    #[rstest]
    #[case("bogus")]
    #[case("")]
    #[case("no-new-privileges=maybe")]
    #[case("seccomp")]
    #[case("seccomp=")]
    #[case("apparmor=")]
    #[case("label")]
    #[case("label=type")]
    #[case("label=colour:red")]
    fn others_are_refused(#[case] word: &str) {
        let error = read(&words(&[word])).unwrap_err();
        assert!(
            error.starts_with("security_opts: ") && error.contains(word),
            "{error}"
        );
    }

    #[rstest]
    #[case(&["no-new-privileges", "no-new-privileges=false"])]
    #[case(&["seccomp=/a", "seccomp:unconfined"])]
    #[case(&["apparmor=a", "apparmor=b"])]
    fn words_that_differ_are_refused(#[case] list: &[&str]) {
        assert!(read(&words(list)).unwrap_err().contains(list[1]));
    }

    #[test]
    fn a_field_and_a_word_must_agree() {
        assert_eq!(merge(("f", Some(1)), ("w", Some(1))), Ok(Some(1)));
        assert_eq!(merge(("f", None), ("w", Some(1))), Ok(Some(1)));
        assert_eq!(merge::<u8>(("f", None), ("w", None)), Ok(None));
        let error = merge(("f", Some(1)), ("w", Some(2))).unwrap_err();
        assert!(error.contains('f') && error.contains('w'));
    }
}
