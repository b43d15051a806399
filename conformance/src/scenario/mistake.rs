//! What is wrong with a scenario file, and how it is shown.

use std::{ops::Range, sync::Arc};

use codespan_reporting::{
    diagnostic::{Diagnostic, Label},
    files::SimpleFiles,
    term::{self, termcolor},
};

use super::ast::SourceFile;

/// A mistake in a scenario file: nothing of the suite runs.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// What is wrong, in a line that stands alone.
    pub message: String,
    /// The file.
    pub file: Arc<SourceFile>,
    /// Where in the file, in bytes.
    pub span: Range<usize>,
    /// What was expected, for the caret; may be empty.
    pub expected: String,
    /// A sentence that helps.
    pub help: Option<String>,
    /// Another place that matters.
    pub also: Option<Box<Also>>,
}

/// Another place that matters: its file, its bytes, and what to say there.
pub type Also = (Arc<SourceFile>, Range<usize>, String);

impl Mistake {
    /// A mistake at a place.
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            file: Arc::clone(file),
            span,
            expected: String::new(),
            help: None,
            also: None,
        }
    }

    /// Adds what was expected.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// Adds a sentence that helps.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    pub fn also(
        mut self,
        file: &Arc<SourceFile>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.also = Some(Box::new((Arc::clone(file), span, label.into())));
        self
    }

    /// The mistake with file, line, column, the line itself and a caret.
    pub fn render(&self) -> String {
        self.emit(termcolor::Buffer::no_color())
    }

    /// The same with ANSI colours.
    pub fn render_coloured(&self) -> String {
        self.emit(termcolor::Buffer::ansi())
    }

    fn emit(&self, mut buffer: termcolor::Buffer) -> String {
        let mut files = SimpleFiles::new();
        let here = files.add(
            self.file.path.display().to_string(),
            self.file.text.as_str(),
        );
        let mut labels = vec![Label::primary(here, self.span.clone()).with_message(&self.expected)];
        if let Some((file, span, label)) = self.also.as_deref() {
            let there = if Arc::ptr_eq(file, &self.file) {
                here
            } else {
                files.add(file.path.display().to_string(), file.text.as_str())
            };
            labels.push(Label::secondary(there, span.clone()).with_message(label));
        }
        let diagnostic = Diagnostic::error()
            .with_message(&self.message)
            .with_labels(labels)
            .with_notes(
                self.help
                    .iter()
                    .map(|help| format!("help: {help}"))
                    .collect(),
            );
        let config = term::Config::default();
        match term::emit_to_write_style(&mut buffer, &config, &files, &diagnostic) {
            Ok(()) => String::from_utf8_lossy(buffer.as_slice()).into_owned(),
            // Only a span outside the file could lead here; the message must not be lost.
            Err(_) => format!("error: {}: {}\n", self.file.path.display(), self.message),
        }
    }
}
