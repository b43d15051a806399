//! What ends a command early, how it is said, and its exit code.

use std::{io, path::PathBuf};

use crate::{
    endpoint::{ActivationError, AddressError, ConnectError},
    runner::RunError,
    scenario::suite::SuiteError,
    spec::SpecError,
};

/// A command that could not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Something in the command line.
    #[error("{0}")]
    Usage(String),
    /// The address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The scenarios.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// An interface definition.
    #[error("{path}: {why}")]
    Interface {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The specification that ships with the program.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The service to start.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// Nobody accepts connections.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// The service to start has ended.
    #[error("the activated service ended before it answered ({0})")]
    Ended(std::process::ExitStatus),
    /// The run could not be prepared.
    #[error(transparent)]
    Run(RunError),
    /// A file to write.
    #[error("cannot write {path}: {source}")]
    Report {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output, or a report.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    /// This program.
    #[error("{0}")]
    Harness(String),
    /// No answer to a call.
    #[error("{0}")]
    NoAnswer(String),
    /// Nothing matches.
    #[error("{0}")]
    Nothing(String),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NothingChosen => Self::Nothing("nothing ran: no scenario matches".to_owned()),
            RunError::Unreachable(error) => Self::Unreachable(error),
            RunError::Shared(_) => Self::Run(error),
        }
    }
}

impl Failure {
    /// Says it on standard error; returns the exit code. Whoever closed the pipe has read enough, and is not bothered.
    pub(super) fn report(&self) -> u8 {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return self.code();
        }
        if let Self::Suite(SuiteError::Mistakes(mistakes)) = self {
            for mistake in mistakes {
                anstream::eprintln!("{}\n", mistake.render_coloured().trim_end());
            }
        }
        let mut text = self.to_string();
        if let Self::Suite(SuiteError::Read { source, .. }) = self {
            text = format!("{text}: {source}");
        }
        anstream::eprintln!("varlink-conformance: {text}");
        self.code()
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Address(_) | Self::Suite(_) | Self::Interface { .. } => 2,
            Self::Spec(_)
            | Self::Activation(_)
            | Self::Unreachable(_)
            | Self::Ended(_)
            | Self::Run(_)
            | Self::Report { .. }
            | Self::Output(_)
            | Self::Harness(_)
            | Self::NoAnswer(_) => 3,
            Self::Nothing(_) => 4,
        }
    }
}
