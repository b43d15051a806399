//! Signals by name or number.

use crate::sys::process::Signal;

/// `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
#[must_use]
pub(super) fn parse(text: &str) -> Option<Signal> {
    if let Ok(number) = text.parse() {
        return Signal::new(number);
    }
    let name = text.to_ascii_uppercase();
    let short = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(offset) = short.strip_prefix("RTMIN") {
        return real_time(34, offset);
    }
    if let Some(offset) = short.strip_prefix("RTMAX") {
        return real_time(64, offset);
    }
    let named = |number: &i32| {
        let known = nix::sys::signal::Signal::try_from(*number);
        known.is_ok_and(|known| known.as_str().strip_prefix("SIG") == Some(short))
    };
    (1..32).find(named).and_then(Signal::new)
}

/// The C library keeps 32 and 33 for itself, so that `SIGRTMIN` is 34.
fn real_time(base: i32, offset: &str) -> Option<Signal> {
    let offset: i32 = if offset.is_empty() {
        0
    } else {
        offset.parse().ok()?
    };
    let number = base.checked_add(offset)?;
    (34..=64).contains(&number).then(|| Signal::new(number))?
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("15", Some(15))]
    #[case("SIGTERM", Some(15))]
    #[case("usr1", Some(10))]
    #[case("SIGRTMIN", Some(34))]
    #[case("RTMIN+3", Some(37))]
    #[case("SIGRTMAX-1", Some(63))]
    #[case("0", None)]
    #[case("65", None)]
    #[case("-9", None)]
    #[case("SIGNONE", None)]
    #[case("", None)]
    fn names_and_numbers(#[case] text: &str, #[case] number: Option<i32>) {
        assert_eq!(parse(text).map(Signal::get), number);
    }
}
