//! JSON as written in a scenario file: every value knows its place, members keep their order, a
//! duplicate key is a mistake.

use std::{collections::HashMap, ops::Range};

use super::{excerpt::Excerpt, mistake::Mistake};

/// How deep values may nest, as in `serde_json`; deeper goldens could not be met by any reply.
const DEPTH: usize = 128;

/// A value and its bytes in the file.
#[derive(Debug, Clone)]
pub(crate) struct Json {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(Excerpt),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: Excerpt,
    pub(crate) value: Json,
}

/// Reads the value that begins at an offset of the text; gives it and the offset after it.
///
/// # Errors
/// Every duplicate key, or the first thing that is not JSON.
pub(crate) fn read_json(source: &Excerpt, at: usize) -> Result<(Json, usize), Vec<Mistake>> {
    let mut reader = Reader {
        source,
        at,
        open: Vec::new(),
        duplicates: Vec::new(),
    };
    let value = reader.value().map_err(|mistake| vec![*mistake])?;
    match reader.duplicates.is_empty() {
        true => Ok((value, reader.at)),
        false => Err(reader.duplicates),
    }
}

/// Reads a text that is one value and nothing else.
///
/// # Errors
/// As [`read_json`], or something follows the value.
pub(crate) fn read_whole_json(source: &Excerpt) -> Result<Json, Vec<Mistake>> {
    let (value, end) = read_json(source, 0)?;
    let rest = source.text().get(end..).unwrap_or_default();
    let garbage = rest.trim_start();
    if garbage.is_empty() {
        return Ok(value);
    }
    let start = end + (rest.len() - garbage.len());
    let mistake = source
        .mistake(
            start..start + garbage.trim_end().len(),
            "something follows the JSON value",
        )
        .expected("expected nothing more");
    Err(vec![mistake])
}

struct Reader<'a> {
    source: &'a Excerpt,
    at: usize,
    /// Where the objects and arrays that are not closed yet begin.
    open: Vec<usize>,
    duplicates: Vec<Mistake>,
}

type Read<T> = Result<T, Box<Mistake>>;

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.source.text().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let blanks = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        self.at += self.rest().len() - self.rest().trim_start_matches(blanks).len();
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// The mistake of something else than expected at the current place.
    fn unexpected(&self, expected: &str) -> Box<Mistake> {
        let message = match self.peek() {
            Some(c) => format!("unexpected {c:?} in JSON"),
            None => "the JSON ends too early".to_owned(),
        };
        let length = self.peek().map_or(0, char::len_utf8);
        let range = self.at..self.at + length;
        let mistake = self
            .source
            .mistake(range, message)
            .expected(format!("expected {expected}"));
        Box::new(self.with_opening(mistake))
    }

    /// Adds where the innermost object or array begins, if that is on another line.
    fn with_opening(&self, mistake: Mistake) -> Mistake {
        let Some(open) = self.open.last() else {
            return mistake;
        };
        let between = self.source.text().get(*open..self.at).unwrap_or_default();
        if !between.contains('\n') {
            return mistake;
        }
        let place = self.source.span(*open..open + 1);
        mistake.also(self.source.file(), place, "not closed")
    }

    fn value(&mut self) -> Read<Json> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"') => Kind::Text(self.text()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        let span = self.source.span(start..self.at);
        Ok(Json { kind, span })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Kind>) -> Read<Kind> {
        if self.open.len() == DEPTH {
            let message = format!("JSON nested deeper than {DEPTH}");
            let mistake = self.source.mistake(self.at..self.at + 1, message);
            return Err(Box::new(mistake));
        }
        self.open.push(self.at);
        self.at += 1;
        let kind = read(self)?;
        self.open.pop();
        Ok(kind)
    }

    fn array(&mut self) -> Read<Kind> {
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.eat("]") {
            return Ok(Kind::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.skip_blanks();
            if self.eat("]") {
                return Ok(Kind::Array(elements));
            }
            if !self.eat(",") {
                return Err(self.unexpected("\",\" or \"]\""));
            }
        }
    }

    fn object(&mut self) -> Read<Kind> {
        let mut members = Vec::new();
        let mut known = HashMap::new();
        self.skip_blanks();
        if self.eat("}") {
            return Ok(Kind::Object(members));
        }
        loop {
            let member = self.member()?;
            self.note_duplicate(&member.key, &mut known);
            members.push(member);
            self.skip_blanks();
            if self.eat("}") {
                return Ok(Kind::Object(members));
            }
            if !self.eat(",") {
                return Err(self.unexpected("\",\" or \"}\""));
            }
        }
    }

    fn member(&mut self) -> Read<Member> {
        self.skip_blanks();
        if self.peek() != Some('"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.text()?;
        self.skip_blanks();
        if !self.eat(":") {
            return Err(self.unexpected("\":\""));
        }
        let value = self.value()?;
        Ok(Member { key, value })
    }

    fn note_duplicate(&mut self, key: &Excerpt, known: &mut HashMap<String, Range<usize>>) {
        if let Some(first) = known.insert(key.text().to_owned(), key.whole()) {
            let message = format!("duplicate key {:?}", key.text());
            let mistake = Mistake::new(key.file(), key.whole(), message)
                .expected("expected every key once")
                .also(key.file(), first, "first here");
            self.duplicates.push(mistake);
        }
    }

    fn word(&mut self) -> Read<Kind> {
        let word = self
            .rest()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next();
        let (kind, length) = match word {
            Some("null") => (Kind::Null, 4),
            Some("true") => (Kind::Bool(true), 4),
            Some("false") => (Kind::Bool(false), 5),
            _ => return Err(self.unexpected("a JSON value")),
        };
        self.at += length;
        Ok(kind)
    }

    fn number(&mut self) -> Read<Kind> {
        let in_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let length = self.rest().len() - self.rest().trim_start_matches(in_number).len();
        let start = self.at;
        let written = self.rest().get(..length).unwrap_or_default().to_owned();
        // RawValue checks the grammar and sets no limit on the size.
        if serde_json::from_str::<&serde_json::value::RawValue>(&written).is_err() {
            let message = format!("{written} is not a JSON number");
            return Err(Box::new(
                self.source.mistake(start..start + length, message),
            ));
        }
        self.at += length;
        Ok(Kind::Number(written))
    }

    fn text(&mut self) -> Read<Excerpt> {
        let open = self.at;
        self.at += 1;
        let mut decoded = Excerpt::empty(self.source.file(), self.place());
        loop {
            let start = self.at;
            let c = match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(decoded);
                }
                Some('\\') => self.escape()?,
                Some(c) if c >= ' ' => {
                    self.at += c.len_utf8();
                    c
                }
                _ => return Err(self.unterminated(open)),
            };
            decoded.push(c, self.source.span(start..self.at));
        }
    }

    fn unterminated(&self, open: usize) -> Box<Mistake> {
        let start = self
            .source
            .mistake(open..self.at, "a JSON string without an end");
        Box::new(start.expected("expected a closing double quote on this line"))
    }

    fn place(&self) -> usize {
        self.source.span(self.at..self.at).start
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.at;
        self.at += 1;
        let c = self.peek();
        self.at += c.map_or(0, char::len_utf8);
        let decoded = match c {
            Some('"') => Some('"'),
            Some('\\') => Some('\\'),
            Some('/') => Some('/'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => self.unicode_escape(),
            _ => None,
        };
        decoded.ok_or_else(|| {
            let mistake = self.source.mistake(start..self.at, "not an escape of JSON");
            Box::new(mistake.expected(r#"expected \" \\ \/ \b \f \n \r \t or \uXXXX"#))
        })
    }

    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first);
        }
        if !self.eat("\\u") {
            return None;
        }
        let second = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::scenario::ast::SourceFile;

    fn read(text: &str) -> Result<Json, Vec<Mistake>> {
        let file = SourceFile::new("f", text);
        read_whole_json(&Excerpt::of(&file, 0..text.len()))
    }

    fn plain(json: &Json) -> serde_json::Value {
        match &json.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(b) => (*b).into(),
            Kind::Number(n) => serde_json::from_str(n).unwrap(),
            Kind::Text(t) => t.text().into(),
            Kind::Array(a) => a.iter().map(plain).collect(),
            Kind::Object(o) => o
                .iter()
                .map(|m| (m.key.text().to_owned(), plain(&m.value)))
                .collect(),
        }
    }

    #[rstest]
    #[case("null")]
    #[case(" [1, -2.5e3, true, false, null] ")]
    #[case(r#"{"a": {"b": []}, "": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀"}"#)]
    #[case("{}")]
    #[case("0")]
    fn reads_what_serde_json_reads(#[case] text: &str) {
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(plain(&read(text).unwrap()), expected);
    }

    #[rstest]
    #[case("", 0..0, "the JSON ends too early")]
    #[case("{\"a\" 1}", 5..6, "unexpected '1' in JSON")]
    #[case("{\"a\": 1,}", 8..9, "unexpected '}' in JSON")]
    #[case("[1 2]", 3..4, "unexpected '2' in JSON")]
    #[case("[01]", 1..3, "01 is not a JSON number")]
    #[case("[nul]", 1..2, "unexpected 'n' in JSON")]
    #[case("\"abc", 0..4, "a JSON string without an end")]
    #[case("\"a\nc\"", 0..2, "a JSON string without an end")]
    #[case(r#""\x""#, 1..3, "not an escape of JSON")]
    #[case(r#""\ud800x""#, 1..7, "not an escape of JSON")]
    #[case("{} x", 3..4, "something follows the JSON value")]
    #[case("{\"a\": 1, \"b\": 2, \"a\": 3}", 18..19, "duplicate key \"a\"")]
    fn refuses_what_is_not_json(
        #[case] text: &str,
        #[case] span: Range<usize>,
        #[case] message: &str,
    ) {
        let mistakes = read(text).unwrap_err();
        assert_eq!(
            (mistakes[0].span.clone(), mistakes[0].message.as_str()),
            (span, message)
        );
    }

    #[test]
    fn deep_nesting_is_a_mistake_and_not_a_crash() {
        assert!(read(&("[".repeat(128) + &"]".repeat(128))).is_ok());
        let mistakes = read(&"[".repeat(100_000)).unwrap_err();
        assert_eq!(mistakes[0].message, "JSON nested deeper than 128");
    }
}
