//! Points in time, and how long they are ago.

use std::fmt;

use jiff::Timestamp;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(Timestamp);

impl Time {
    pub(super) fn now() -> Self {
        Self(Timestamp::now())
    }

    /// Since the Unix epoch. A time beyond the year 2262 counts as its last moment.
    pub(super) fn nanoseconds(self) -> i64 {
        i64::try_from(self.0.as_nanosecond()).unwrap_or(i64::MAX)
    }

    pub(super) fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// How long it is ago; nothing if it is still to come.
    pub(super) fn age(self) -> std::time::Duration {
        let past = Timestamp::now().duration_since(self.0);
        past.try_into().unwrap_or_default()
    }

    /// How long it is ago, such as `2h 3m 4.5s`.
    pub(super) fn ago(self) -> String {
        let past = Timestamp::now().duration_since(self.0);
        span(past.as_millis().max(0))
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

/// RFC 3339, UTC.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A length of time for people to read.
pub(super) fn span(milliseconds: i128) -> String {
    let (seconds, milliseconds) = (milliseconds / 1000, milliseconds % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let seconds = format!("{seconds}.{}s", milliseconds / 100);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m {seconds}"),
        _ => format!("{hours}h {minutes}m {seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "0.0s")]
    #[case(61_250, "1m 1.2s")]
    #[case(90_000_000, "25h 0m 0.0s")]
    fn spans(#[case] milliseconds: i128, #[case] text: &str) {
        assert_eq!(span(milliseconds), text);
    }

    #[test]
    fn a_time_survives_its_record() {
        let now = Time::now();
        assert_eq!(Time::from_nanoseconds(now.nanoseconds()), now);
    }
}
