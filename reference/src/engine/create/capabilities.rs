//! Create's fields: cap_add and cap_drop.

use crate::{
    settings::Capabilities,
    sys::capabilities::{CapabilitySet, named, names},
};

/// The changes that were asked for, in the kernel's names; `held` are the capabilities that the engine has to give.
pub(super) fn check(
    add: &[String],
    drop: &[String],
    held: CapabilitySet,
) -> Result<Capabilities, String> {
    let wanted = Capabilities {
        add: read("cap_add", add, Some(held))?,
        drop: read("cap_drop", drop, None)?,
    };
    match wanted.add.iter().find(|name| wanted.drop.contains(name)) {
        Some(name) => Err(format!("cap_add and cap_drop: both name {name}")),
        None => Ok(wanted),
    }
}

fn read(field: &str, given: &[String], held: Option<CapabilitySet>) -> Result<Vec<String>, String> {
    let mut read = Vec::with_capacity(given.len());
    for text in given {
        let name = if text.eq_ignore_ascii_case(Capabilities::ALL) {
            Capabilities::ALL.to_owned()
        } else {
            let one =
                named(text).ok_or_else(|| format!("{field}: {text:?} is not a capability"))?;
            if held.is_some_and(|held| !held.contains(one)) {
                return Err(format!("{field}: this service itself lacks {text}"));
            }
            names(one).collect()
        };
        if !read.contains(&name) {
            read.push(name);
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[rstest]
    #[case(&["chown", "CAP_CHOWN", "all"], &["kill"], &["CAP_CHOWN", "ALL"], &["CAP_KILL"])]
    #[case(&[], &["SYS_ADMIN"], &[], &["CAP_SYS_ADMIN"])]
    fn names_are_the_kernels(
        #[case] add: &[&str],
        #[case] drop: &[&str],
        #[case] added: &[&str],
        #[case] dropped: &[&str],
    ) {
        let held = CapabilitySet::CHOWN | CapabilitySet::KILL;
        let checked = check(&words(add), &words(drop), held).unwrap();
        let expected = Capabilities {
            add: words(added),
            drop: words(dropped),
        };
        assert_eq!(checked, expected);
    }

    #[rstest]
    #[case::unknown(&["NO_SUCH"], &[], "cap_add: \"NO_SUCH\"")]
    #[case::lacking(&["SYS_ADMIN"], &[], "cap_add: this service itself lacks SYS_ADMIN")]
    #[case::unknown_drop(&[], &["NO_SUCH"], "cap_drop: \"NO_SUCH\"")]
    #[case::both(&["KILL"], &["cap_kill"], "cap_add and cap_drop: both name CAP_KILL")]
    #[case::all_in_both(&["ALL"], &["all"], "cap_add and cap_drop: both name ALL")]
    fn what_cannot_be_honoured_is_refused(
        #[case] add: &[&str],
        #[case] drop: &[&str],
        #[case] reason: &str,
    ) {
        let error = check(&words(add), &words(drop), CapabilitySet::KILL).unwrap_err();
        assert!(error.starts_with(reason), "{error}");
    }
}
