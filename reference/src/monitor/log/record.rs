//! One record of the log.

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::monitor) enum Stream {
    /// The container's standard output.
    Stdout,
    /// The container's standard error.
    Stderr,
}

impl Stream {
    /// As the log spells it; both names have six letters.
    pub(super) fn name(self) -> &'static [u8; 6] {
        match self {
            Self::Stdout => b"stdout",
            Self::Stderr => b"stderr",
        }
    }
}

/// Bytes of the time: `2026-01-02T03:04:05.123456789Z`.
pub(super) const TIME: usize = 30;
/// Bytes before the text: the time, a blank, the stream, a blank, F or P, a blank.
pub(super) const PREFIX: usize = TIME + 10;

/// A record without its newline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) stream: Stream,
    /// Whether it ends its line.
    pub(super) full: bool,
    pub(super) text: &'a [u8],
}

impl<'a> Record<'a> {
    /// A line that is no record (a torn write before a power cut) is shown as it is.
    pub(super) fn parse(line: &'a [u8]) -> Self {
        Self::parse_record(line).unwrap_or(Self {
            stream: Stream::Stdout,
            full: true,
            text: line,
        })
    }

    fn parse_record(line: &'a [u8]) -> Option<Self> {
        let (prefix, text) = line.split_at_checked(PREFIX)?;
        let (_, prefix) = prefix.split_at_checked(TIME)?;
        let (stream, full) = match prefix {
            b" stdout F " => (Stream::Stdout, true),
            b" stderr F " => (Stream::Stderr, true),
            b" stdout P " => (Stream::Stdout, false),
            b" stderr P " => (Stream::Stderr, false),
            _ => return None,
        };
        Some(Self { stream, full, text })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const AT: &str = "2026-01-02T03:04:05.123456789Z";

    #[rstest]
    #[case::whole(" stdout F a b", Stream::Stdout, true, "a b")]
    #[case::piece(" stderr P  x", Stream::Stderr, false, " x")]
    #[case::empty(" stdout F ", Stream::Stdout, true, "")]
    fn a_record_is_read(
        #[case] rest: &str,
        #[case] stream: Stream,
        #[case] full: bool,
        #[case] text: &str,
    ) {
        let line = format!("{AT}{rest}");
        let record = Record::parse(line.as_bytes());
        assert_eq!(
            record,
            Record {
                stream,
                full,
                text: text.as_bytes()
            }
        );
    }

    #[rstest]
    #[case("")]
    #[case("torn")]
    #[case("2026-01-02T03:04:05.123456789Z stdout X text")]
    fn a_line_that_is_no_record_is_shown_as_it_is(#[case] line: &str) {
        let record = Record::parse(line.as_bytes());
        assert_eq!(
            record,
            Record {
                stream: Stream::Stdout,
                full: true,
                text: line.as_bytes()
            }
        );
    }
}
