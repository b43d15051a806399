//! Create's fields: limits and cgroup_parent.

mod block_io;
mod cpu;
mod memory;
mod rlimits;

use std::{
    ops::RangeInclusive,
    path::{Component, Path, PathBuf},
};

use crate::{
    engine::request::ResourcesRequest,
    runtime,
    settings::{Amount, Resources},
};

/// What was asked for, checked, and found to be something that this host can enforce; the error names the field and the value.
pub(super) fn check(request: &ResourcesRequest) -> Result<Resources, String> {
    let resources = read(request)?;
    runtime::try_limits(&resources)?;
    Ok(resources)
}

fn read(request: &ResourcesRequest) -> Result<Resources, String> {
    let mut resources = Resources {
        cgroup_parent: parent(request.cgroup_parent.as_deref())?,
        pids_limit: match amount("pids_limit", request.pids_limit, 1)? {
            Some(Amount::Of(most)) => Some(most),
            Some(Amount::Unlimited) | None => None,
        },
        ..Resources::default()
    };
    memory::read(request, &mut resources)?;
    cpu::read(request, &mut resources)?;
    block_io::read(request, &mut resources)?;
    rlimits::read(request, &mut resources)?;
    Ok(resources)
}

/// The group above the container's own; it counts from the root of the hierarchy, however it is written.
fn parent(given: Option<&str>) -> Result<Option<PathBuf>, String> {
    let Some(path) = given else {
        return Ok(None);
    };
    let mut parent = PathBuf::from("/");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parent.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(format!("cgroup_parent: {path:?} holds .."));
            }
        }
    }
    if path.contains(['\0', '\n']) {
        return Err(format!(
            "cgroup_parent: {path:?} cannot be a path of groups"
        ));
    }
    Ok((parent != Path::new("/")).then_some(parent))
}

/// A figure in a range.
fn figure(
    field: &str,
    given: Option<i64>,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, String> {
    let Some(given) = given else {
        return Ok(None);
    };
    match u64::try_from(given) {
        Ok(figure) if range.contains(&figure) => Ok(Some(figure)),
        _ if *range.end() == u64::MAX => Err(format!(
            "resources.{field}: {given} is below {}",
            range.start()
        )),
        _ => Err(format!(
            "resources.{field}: {given} is not from {} to {}",
            range.start(),
            range.end()
        )),
    }
}

/// Decimal digits and nothing else: no sign, no space.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A figure that is at least so much, or -1 for no limit.
fn amount(field: &str, given: Option<i64>, least: u64) -> Result<Option<Amount>, String> {
    match given {
        Some(-1) => Ok(Some(Amount::Unlimited)),
        other => Ok(figure(field, other, least..=u64::MAX)?.map(Amount::Of)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::absolute("/a/b", Some("/a/b"))]
    #[case::relative("a", Some("/a"))]
    #[case::superfluous("//a/./b/", Some("/a/b"))]
    #[case::root("/", None)]
    fn a_parent_counts_from_the_root(#[case] given: &str, #[case] expected: Option<&str>) {
        let expected = expected.map(PathBuf::from);
        assert_eq!(parent(Some(given)).unwrap(), expected);
    }

    #[rstest]
    #[case("..")]
    #[case("/a/../b")]
    #[case("a\nb")]
    fn a_parent_stays_below_the_root(#[case] given: &str) {
        assert!(parent(Some(given)).unwrap_err().contains("cgroup_parent"));
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case("18446744073709551615", Some(u64::MAX))]
    #[case("18446744073709551616", None)]
    #[case("", None)]
    #[case("+1", None)]
    #[case(" 1", None)]
    #[case("1.0", None)]
    fn a_whole_number_is_digits_alone(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(whole(text), expected);
    }

    #[rstest]
    #[case(Some(-1), Some(Amount::Unlimited))]
    #[case(Some(5), Some(Amount::Of(5)))]
    #[case(None, None)]
    fn minus_one_is_no_limit(#[case] given: Option<i64>, #[case] expected: Option<Amount>) {
        assert_eq!(amount("f", given, 5).unwrap(), expected);
    }

    #[rstest]
    #[case(Some(-2))]
    #[case(Some(4))]
    fn less_than_the_least_is_refused(#[case] given: Option<i64>) {
        assert!(
            amount("f", given, 5)
                .unwrap_err()
                .starts_with("resources.f: ")
        );
    }
}
