//! Catches what the runtime library says about a failure.
//!
//! It keeps causes out of its errors and logs them, and it does so in two processes that it forks. So a pipe takes them: the
//! library's log from all three, and the report of a program that could not be executed. Once the program is executed, every
//! writer is gone, and the reader comes to the end.

use std::{
    fmt::{self, Write as _},
    io::{self, PipeReader, Read},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tracing::{Event, Level, Metadata, Subscriber, field, span};

/// Begins the report of a program that could not be executed; anything else is the library's log.
const EXECUTION: &str = "\u{1}";

/// The reading end.
pub(super) struct Trouble {
    reader: PipeReader,
    writer: Writer,
}

/// The writing end, shared by the library's log and the executor.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<Option<OwnedFd>>>);

impl Trouble {
    /// Makes the pipe and takes over this process's log.
    pub(super) fn catch() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        // A log that fills the pipe is cut: nobody reads while the library works.
        fcntl(writer.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let writer = Writer(Arc::new(Mutex::new(Some(writer.into()))));
        // Fails only if a log is set already; then the causes go there.
        let _ = tracing::subscriber::set_global_default(Log(writer.clone()));
        Ok(Self { reader, writer })
    }

    pub(super) fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Waits until the program is executed or could not be.
    pub(super) fn until_executed(&mut self) -> Result<(), String> {
        let text = self.read();
        text.split_once(EXECUTION).map_or(Ok(()), |(_, reason)| {
            Err(reason.lines().next().unwrap_or_default().to_owned())
        })
    }

    /// The cause of a failure, as well as it can be told: what the executor said, else the library's first complaint, which is
    /// the one closest to the cause.
    pub(super) fn cause(&mut self, error: &dyn fmt::Display) -> String {
        let text = self.read();
        if let Some((_, reason)) = text.split_once(EXECUTION) {
            return reason.lines().next().unwrap_or_default().to_owned();
        }
        text.lines()
            .next()
            .map_or_else(|| error.to_string(), str::to_owned)
    }

    /// Everything written. Ends once the forked processes have closed their ends.
    fn read(&mut self) -> String {
        self.writer
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut text = Vec::new();
        let _ = self.reader.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Writer {
    /// Reports that the program could not be executed.
    pub(super) fn execution_failed(&self, reason: &str) {
        self.line(&format!("{EXECUTION}{reason}"));
    }

    fn line(&self, text: &str) {
        if let Some(fd) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let line = format!("{}\n", text.replace('\n', " "));
            let _ = nix::unistd::write(fd.as_fd(), line.as_bytes());
        }
    }
}

/// The library's log: errors alone.
struct Log(Writer);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::ERROR)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.line(&line.text());
    }

    // No spans are enabled.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// One message and its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn text(&self) -> String {
        match self.fields.is_empty() {
            true => self.message.clone(),
            false => format!("{} ({})", self.message, self.fields),
        }
    }
}

impl field::Visit for Line {
    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        let separator = if self.fields.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, "{separator}{name} {value:?}"),
        };
    }
}
