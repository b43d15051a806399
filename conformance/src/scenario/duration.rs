//! Durations as written: `200ms`, `1.5s`, `2m`.

use std::time::Duration;

/// What a duration looks like, for diagnostics.
pub(crate) const FORM: &str = "expected a duration such as 200ms, 1.5s or 2m";

/// Reads a duration.
pub(crate) fn read_duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = number.parse().ok().filter(|_| plain)?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("200ms", Some(200))]
    #[case("1s", Some(1000))]
    #[case("1.5s", Some(1500))]
    #[case("2m", Some(120_000))]
    #[case("0s", Some(0))]
    #[case("5", None)]
    #[case("s", None)]
    #[case("-1s", None)]
    #[case("1h", None)]
    #[case("1 s", None)]
    #[case("1e3s", None)]
    #[case("", None)]
    fn durations(#[case] text: &str, #[case] milliseconds: Option<u64>) {
        assert_eq!(read_duration(text), milliseconds.map(Duration::from_millis));
    }
}
