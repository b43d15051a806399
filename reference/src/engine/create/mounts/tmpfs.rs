//! Create's field: tmpfs.

use super::{Kind, Wish, contradiction, destination};

/// Words of which one rules the others out; the first one of each is the default, but for the last two.
const GROUPS: [&[&str]; 6] = [
    &["rw", "ro"],
    &["nosuid", "suid"],
    &["nodev", "dev"],
    &["noexec", "exec"],
    &["size"],
    &["mode"],
];

/// `PATH[:OPTIONS]`. The error names field and entry.
pub(super) fn wish(entry: &str) -> Result<Wish, String> {
    let said = format!("tmpfs: {entry:?}");
    let refused = |why: String| format!("{said} {why}");
    let (to, given) = match entry.split_once(':') {
        Some((to, given)) => (to, given.split(',').collect()),
        None => (entry, Vec::new()),
    };
    let options = options(&given).map_err(refused)?;
    Ok(Wish {
        destination: destination::clean(to).map_err(refused)?,
        by_image: false,
        kind: Kind::Tmpfs(options),
        said,
    })
}

/// The given words, and the default ones where they say nothing.
pub(super) fn options(given: &[&str]) -> Result<Vec<String>, String> {
    for word in given {
        check(word)?;
    }
    if let Some(word) = contradiction(given, &GROUPS) {
        return Err(format!(
            "has the option {word:?} beside one of the same meaning"
        ));
    }
    let mut words = Vec::new();
    for group in &GROUPS[..4] {
        let said = given.iter().find(|word| group.contains(*word));
        words.extend(said.or(group.first()).map(|&word| word.to_owned()));
    }
    let figures = given.iter().filter(|word| word.contains('='));
    words.extend(figures.map(|&word| word.to_owned()));
    Ok(words)
}

fn check(word: &str) -> Result<(), String> {
    let is_good = match word.split_once('=') {
        Some(("size", size)) => is_size(size),
        Some(("mode", mode)) => u32::from_str_radix(mode, 8).is_ok_and(|mode| mode <= 0o7777),
        Some(_) => false,
        None => GROUPS[..4].iter().any(|group| group.contains(&word)),
    };
    if is_good {
        Ok(())
    } else {
        Err(format!("has an unknown option: {word:?}"))
    }
}

/// Bytes, with a unit of `k`, `m` or `g`, or a share of the memory in per cent. 0 would be no limit.
fn is_size(text: &str) -> bool {
    let number = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G', '%']);
    let number = number.unwrap_or(text);
    number.bytes().all(|byte| byte.is_ascii_digit())
        && number.parse::<u64>().is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::default("/run", "rw,nosuid,nodev,noexec")]
    #[case::read_only("/run:ro", "ro,nosuid,nodev,noexec")]
    #[case::executable("/run:exec,size=1m", "rw,nosuid,nodev,exec,size=1m")]
    #[case::everything("/run:rw,suid,dev,exec,mode=0700", "rw,suid,dev,exec,mode=0700")]
    #[case::share("/run:size=10%", "rw,nosuid,nodev,noexec,size=10%")]
    fn what_is_not_said_has_a_default(#[case] entry: &str, #[case] expected: &str) {
        let wish = wish(entry).unwrap();
        let expected = expected.split(',').map(str::to_owned).collect();
        assert_eq!(wish.kind, Kind::Tmpfs(expected));
    }

    #[rstest]
    #[case("")]
    #[case("run")]
    #[case("/")]
    #[case("/proc")]
    #[case("/run:")]
    #[case("/run:rw,,exec")]
    #[case("/run:uid=1")]
    #[case("/run:size")]
    #[case("/run:size=")]
    #[case("/run:size=0")]
    #[case("/run:size=+1")]
    #[case("/run:size=1x")]
    #[case("/run:mode=rwx")]
    #[case("/run:mode=10000")]
    #[case("/run:ro,rw")]
    #[case("/run:size=1m,size=2m")]
    #[case("/run:ro:rw")]
    fn other_text_is_refused_by_field_and_value(#[case] entry: &str) {
        let reason = wish(entry).unwrap_err();
        assert!(
            reason.starts_with(&format!("tmpfs: {entry:?} ")),
            "{reason}"
        );
    }
}
