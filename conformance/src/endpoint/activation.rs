//! A service that is started for the run, with its listening socket already open.

use std::{
    io,
    os::{
        fd::OwnedFd,
        unix::{net::UnixListener, process::CommandExt},
    },
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::Address;

/// How long a service may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// `LISTEN_PID` must be the service's own pid, which a shell knows of itself before it becomes the service.
const LAUNCH: &str = r#"exec 3<&0 </dev/null 1>&2; export LISTEN_PID=$$; exec "$@""#;

/// A running service; dropped, it is ended.
#[derive(Debug)]
pub struct Activated {
    address: Address,
    child: Child,
    _directory: TempDir,
}

/// Why a service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The command is not a list of shell words.
    #[error("the command {0:?} cannot be split into words: a quote is not closed")]
    Quote(String),
    /// There is no command.
    #[error("the command to activate is empty")]
    Empty,
    /// No socket, or no process.
    #[error("cannot start {command:?}: {source}")]
    Start {
        /// The command.
        command: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Activated {
    /// Opens a listening socket in a temporary directory and starts `command` with it as file
    /// descriptor 3 (`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`). Its output goes to standard error.
    ///
    /// # Errors
    /// The command has an open quote or no words, or the system refuses.
    pub fn start(command: &str) -> Result<Self, ActivationError> {
        let words =
            shell_words::split(command).map_err(|_| ActivationError::Quote(command.to_owned()))?;
        if words.is_empty() {
            return Err(ActivationError::Empty);
        }
        Self::spawn(&words).map_err(|source| ActivationError::Start {
            command: command.to_owned(),
            source,
        })
    }

    fn spawn(words: &[String]) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("varlink-conformance-")
            .tempdir()?;
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path)?;
        let address = Address::Path(path);
        let child = Command::new("/bin/sh")
            .args(["-c", LAUNCH, "sh"])
            .args(words)
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDNAMES", "varlink")
            .env("VARLINK_ADDRESS", address.to_string())
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            // Ctrl-C is for the suite, which still needs the service to clean up.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            address,
            child,
            _directory: directory,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has ended already.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// How it ended, if it ends within `time`.
    pub fn ended_within(&mut self, time: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || started.elapsed() > time {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        // A child that has not been waited for keeps its pid, so the signal cannot hit another process.
        if self.ended().is_none() {
            if let Ok(pid) = i32::try_from(self.child.id()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
            if self.ended_within(GRACE).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Deadline, Received};

    const SHOWS_ITS_ENVIRONMENT: &str = r#"
        test "$LISTEN_PID" = $$ && test -S /proc/self/fd/3 &&
        echo "$LISTEN_FDS $LISTEN_FDNAMES" > "$0"; exec sleep 60"#;

    #[test]
    fn a_started_service_owns_the_socket_and_is_ended_with_the_run() {
        let out = tempfile::NamedTempFile::new().unwrap();
        let command = format!(
            "/bin/sh -c '{SHOWS_ITS_ENVIRONMENT}' {}",
            out.path().display()
        );
        let mut service = Activated::start(&command).unwrap();
        let deadline = Deadline::after(Duration::from_secs(20));
        let _queued = service.address().connect(&deadline).unwrap();
        while std::fs::read_to_string(out.path()).unwrap().is_empty() {
            assert!(!deadline.left().is_zero());
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(std::fs::read_to_string(out.path()).unwrap(), "1 varlink\n");
        assert!(service.ended().is_none());
    }

    #[test]
    fn a_service_that_ends_at_once_leaves_nobody_who_answers() {
        let service = Activated::start("/bin/true").unwrap();
        let deadline = Deadline::after(Duration::from_secs(20));
        let answer = service
            .address()
            .connect(&deadline)
            .map(|mut one| one.receive(&deadline));
        assert!(
            matches!(answer, Err(_) | Ok(Received::Closed(_))),
            "{answer:?}"
        );
    }

    #[test]
    fn a_command_with_an_open_quote_is_refused() {
        assert!(matches!(
            Activated::start("run 'it"),
            Err(ActivationError::Quote(_))
        ));
        assert!(matches!(
            Activated::start("  "),
            Err(ActivationError::Empty)
        ));
    }
}
