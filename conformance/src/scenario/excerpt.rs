//! A text taken out of a scenario file and decoded; every byte of it still knows its place in the file.

use std::{ops::Range, sync::Arc};

use super::{ast::SourceFile, mistake::Mistake};

/// A decoded text with its places.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    file: Arc<SourceFile>,
    text: String,
    /// Decoded offset and file offset; between two marks both advance alike.
    marks: Vec<(usize, usize)>,
    end: usize,
}

impl Excerpt {
    /// The text at a span of the file, as it is there.
    pub(crate) fn of(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        Self {
            file: Arc::clone(file),
            text: file.excerpt(&span).to_owned(),
            marks: vec![(0, span.start)],
            end: span.end,
        }
    }

    /// An empty text at an offset of the file, to be filled.
    pub(crate) fn empty(file: &Arc<SourceFile>, at: usize) -> Self {
        Self::of(file, at..at)
    }

    /// Adds a character that stands at these bytes of the file.
    pub(crate) fn push(&mut self, decoded: char, source: Range<usize>) {
        let at = self.text.len();
        if self.place(at) != source.start {
            self.marks.push((at, source.start));
        }
        self.text.push(decoded);
        let after = self.text.len();
        if self.place(after) != source.end {
            self.marks.push((after, source.end));
        }
        self.end = source.end;
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// All of its bytes in the file.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.place(0)..self.end
    }

    /// The bytes in the file of a range of the decoded text.
    pub(crate) fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        start..self.place(range.end).max(start)
    }

    /// A mistake at a range of the decoded text.
    pub(crate) fn mistake(&self, range: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake::new(&self.file, self.span(range), message)
    }

    fn place(&self, at: usize) -> usize {
        let known = self.marks.partition_point(|(decoded, _)| *decoded <= at);
        let mark = known.checked_sub(1).and_then(|last| self.marks.get(last));
        mark.map_or(at, |(decoded, source)| source + (at - decoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_text_keeps_its_places() {
        let file = SourceFile::new("f", r"ab\ncd");
        let mut excerpt = Excerpt::empty(&file, 0);
        for (decoded, source) in [('a', 0..1), ('b', 1..2), ('\n', 2..4), ('c', 4..5)] {
            excerpt.push(decoded, source);
        }
        assert_eq!(excerpt.text(), "ab\nc");
        assert_eq!(excerpt.span(2..3), 2..4);
        assert_eq!(excerpt.span(3..4), 4..5);
        assert_eq!(excerpt.whole(), 0..5);
    }
}
