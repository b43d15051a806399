//! Lines of a log, many at once.

/// Lines in the order in which they ended. One allocation holds them all; reuse it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Every line, each followed by a newline.
    text: String,
}

impl Batch {
    /// The lines, without their newlines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The lines as one text, each followed by a newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Gives the buffer out for refilling, empty.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        bytes
    }

    /// Bytes that are not UTF-8 become U+FFFD. A newline ends every broken character, so lines stay apart.
    pub(super) fn put(&mut self, bytes: Vec<u8>) {
        self.text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
}
