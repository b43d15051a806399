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
