//! The verdict on a whole run.

use crate::event::Summary;

/// What a run says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunVerdict {
    /// Departures at or above the gate level.
    DoesNotConform,
    /// It could not be tested, or was cut short.
    None,
    /// No scenario ran.
    NothingRan,
    /// No departure that counts.
    Conforms,
}

impl RunVerdict {
    pub(super) const fn of(summary: &Summary) -> Self {
        if summary.failed + summary.timeouts > 0 {
            Self::DoesNotConform
        } else if summary.errors > 0 || summary.interrupted {
            Self::None
        } else if summary.passed + summary.failed_below_gate == 0 {
            Self::NothingRan
        } else {
            Self::Conforms
        }
    }

    /// The words that every report has for it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::DoesNotConform => "does not conform",
            Self::None => "no verdict",
            Self::NothingRan => "nothing ran",
            Self::Conforms => "conforms",
        }
    }
}

/// `2 failed, 1 timed out, 130 passed, 4 skipped in 3.1 s`; what there is none of is not named.
pub(super) fn counts(summary: &Summary) -> String {
    let counts = [
        (summary.failed, "failed"),
        (summary.timeouts, "timed out"),
        (summary.errors, "could not be tested"),
        (summary.failed_below_gate, "failed below the gate level"),
        (summary.passed, "passed"),
        (summary.skipped, "skipped"),
        (summary.cleanup_failures, "could not be cleaned up"),
    ];
    let said: Vec<String> = counts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    let interrupted = if summary.interrupted {
        ", interrupted"
    } else {
        ""
    };
    let time = summary.duration.as_secs_f64();
    format!("{}{interrupted} in {time:.1} s", said.join(", "))
}
