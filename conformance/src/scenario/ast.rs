//! The syntax tree of a scenario; every node knows its place in the file.

use std::{collections::BTreeMap, fmt, ops::Range, path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{pattern::Pattern, template::Template};

/// A scenario or fragment file as read; spans are byte offsets into `text`.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path shown to people: relative to the suite's root, prefixed by the suite's name.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// A file with its text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
        })
    }

    /// The line and the column of a byte offset, both from 1, the column in characters. An offset
    /// past the end stands for the end.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before
            .get(line_start..)
            .map_or(0, |text| text.chars().count())
            + 1;
        (line, column)
    }

    /// The text of a span, empty where the span does not fit.
    pub fn excerpt(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }
}

/// A value and its place in a file (a fragment's nodes point into the fragment).
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// The file it stands in.
    pub file: Arc<SourceFile>,
    /// Its bytes in that file.
    pub span: Range<usize>,
}

/// How binding a requirement or a scenario is; `May < Should < Must`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Our own reading: reported, never gating.
    May,
    /// What any user would expect where the text is silent.
    Should,
    /// A sentence of the documented interface or of the varlink protocol.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::May => "may",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// What a scenario needs from the run; where absent, it is skipped with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The probe image is on the endpoint.
    Image,
    /// A directory that suite and endpoint both see.
    SharedDir,
    /// The run owns the endpoint (`--exclusive`).
    Exclusive,
    /// A registry (`--registry`).
    Registry,
    /// A block device of the endpoint's host (`--block-device`).
    BlockDevice,
    /// Suite and endpoint share a host.
    Local,
    /// The endpoint serves this interface.
    Interface(String),
}

/// One scenario, before its cases are spread out.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The permanent identifier, `Folder/file-stem`.
    pub id: Spanned<String>,
    /// Former identifiers.
    pub was: Vec<String>,
    /// How binding it is.
    pub level: Level,
    /// Requirement ids of SPEC.md.
    pub covers: Vec<Spanned<String>>,
    /// What it needs.
    pub needs: Vec<Need>,
    /// The bound on the whole scenario, if it has one of its own.
    pub timeout: Option<Duration>,
    /// Rows, each a verdict of its own; empty: one verdict.
    pub cases: Vec<Case>,
    /// The first comment line.
    pub title: String,
    /// The transcript, includes already put in.
    pub steps: Vec<Spanned<Step>>,
    /// The file.
    pub file: Arc<SourceFile>,
}

/// A row of a scenario's table.
#[derive(Debug, Clone)]
pub struct Case {
    /// Shown in brackets after the scenario's id.
    pub name: String,
    /// Inserted like captures; strings may insert the values that are always there
    /// (see [`Captures::set_case`](super::captures::Captures::set_case)).
    pub values: BTreeMap<String, serde_json::Value>,
}

/// A step of the transcript.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends something and expects replies.
    Exchange(Exchange),
    /// Waits for a background exchange.
    Join {
        /// Its name.
        name: String,
        /// Bounds from sending to the last reply.
        within: Option<Within>,
        /// What must come.
        expect: Expectations,
    },
    /// A background exchange has no reply yet.
    Running(String),
    /// Waits.
    Sleep(Duration),
    /// Closes a connection (`main` unless named).
    Close(String),
    /// Closes the sending side of a connection (`main` unless named).
    HalfClose {
        /// The connection's name.
        connection: String,
        /// What must still come; with none, nothing is waited for.
        expect: Expectations,
    },
}

/// Something sent and what must come back.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What is sent.
    pub send: Send,
    /// The connection's name: `main` unless named.
    pub connection: String,
    /// Run when the scenario ends.
    pub cleanup: bool,
    /// Started on a connection of its own under this name.
    pub background: Option<String>,
    /// Time bounds from sending to the last reply.
    pub within: Option<Within>,
    /// Repeat until the expectation holds, this long at most.
    pub retry: Option<Duration>,
    /// Join the arrays of all replies and match once.
    pub collect: bool,
    /// Sent this many times in one write, expected as often.
    pub times: usize,
    /// What must come.
    pub expect: Expectations,
}

/// What an exchange sends.
#[derive(Debug, Clone)]
pub enum Send {
    /// A call of a method.
    Call {
        /// The full method name, with insertions.
        method: Spanned<Template>,
        /// Its parameters, with insertions; `None`: the member is absent.
        parameters: Option<Spanned<Template>>,
        /// `"more": true`.
        more: bool,
        /// `"oneway": true`.
        oneway: bool,
    },
    /// Bytes as written, one entry per write; escapes resolved, insertions not yet.
    Raw(Vec<Spanned<Template>>),
}

/// Time bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Not sooner than this.
    pub at_least: Option<Duration>,
    /// Not later than this.
    pub at_most: Duration,
}

/// Alternatives (`@or`); each is a sequence of expected frames. Empty: nothing is expected.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// The alternatives, in the order of the file.
    pub alternatives: Vec<Vec<Spanned<Expected>>>,
}

/// One expected frame or the absence of one.
#[derive(Debug, Clone)]
pub enum Expected {
    /// A successful reply with these parameters.
    Reply(Pattern),
    /// An error.
    Error {
        /// Its full name, with insertions.
        name: Spanned<Template>,
        /// What its parameters must be; `None`: they are not looked at.
        parameters: Option<Pattern>,
    },
    /// A whole message.
    Message(Pattern),
    /// The endpoint closes the connection.
    Closed,
    /// Nothing for this long.
    Silent(Duration),
}
