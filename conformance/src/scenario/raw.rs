//! A line of raw bytes: `> ` and what is sent, with escapes and insertions.

use super::{
    excerpt::Excerpt,
    insertion::read_words,
    mistake::Mistake,
    template::{Piece, Style, Template, read_piece},
};

const ESCAPES: &str = r"expected \0 \n \r \t \\ or \xNN";

/// Reads what stands after the `> `.
///
/// # Errors
/// An escape that is none, or an insertion that cannot stand here.
pub(crate) fn read_raw(source: &Excerpt) -> Result<Template, Mistake> {
    let mut pieces = Vec::new();
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.text().get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("{{") {
            pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
            let (piece, end) = insertion(source, at)?;
            pieces.push(piece);
            at = end;
        } else {
            at += one(rest, &mut bytes).map_err(|length| {
                source
                    .mistake(at..at + length, "not an escape")
                    .expected(ESCAPES)
            })?;
        }
    }
    pieces.push(Piece::Bytes(bytes));
    Ok(Template::of(pieces))
}

fn insertion(source: &Excerpt, at: usize) -> Result<(Piece, usize), Mistake> {
    let words = read_words(source, at)?;
    let range = words.range.clone();
    let piece = match read_piece(words, source, Style::Text)? {
        Piece::Repeat(text, count) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            let wrong = |_| {
                source
                    .mistake(range.clone(), "the text to repeat has a wrong escape")
                    .expected(ESCAPES)
            };
            Piece::Repeat(unescaped(&text).map_err(wrong)?, count)
        }
        other => other,
    };
    Ok((piece, range.end))
}

/// A text with its escapes resolved.
fn unescaped(text: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = one(rest, &mut bytes)?;
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(bytes)
}

/// Adds the bytes of the first character or escape; gives its length, or as the error the length
/// of what looks like an escape.
fn one(rest: &str, bytes: &mut Vec<u8>) -> Result<usize, usize> {
    let mut characters = rest.chars();
    let Some('\\') = characters.next() else {
        let length = rest.chars().next().map_or(0, char::len_utf8);
        bytes.extend_from_slice(rest.get(..length).unwrap_or_default().as_bytes());
        return Ok(length);
    };
    let escape = characters.next();
    bytes.push(match escape {
        Some('0') => 0,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('\\') => b'\\',
        Some('x') => {
            let digits = rest
                .get(2..4)
                .filter(|text| text.chars().all(|c| c.is_ascii_hexdigit()));
            bytes.push(
                digits
                    .and_then(|text| u8::from_str_radix(text, 16).ok())
                    .ok_or(2_usize)?,
            );
            return Ok(4);
        }
        other => return Err(1 + other.map_or(0, char::len_utf8)),
    });
    Ok(2)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::scenario::{ast::SourceFile, captures::Captures};

    fn read(text: &str) -> Result<Template, Mistake> {
        read_raw(&Excerpt::of(&SourceFile::new("f", text), 0..text.len()))
    }

    #[rstest]
    #[case(r#"{"a":{"b":{}}}\0"#, b"{\"a\":{\"b\":{}}}\0")]
    #[case(r"\n\r\t\\\x00\xff", b"\n\r\t\\\x00\xff")]
    #[case(r"{{repeat 'ab' 3}}{{repeat '\x00' 2}}", b"ababab\0\0")]
    #[case(r#"{{repeat '{"a":' 2}}1{{repeat '}' 2}}"#, br#"{"a":{"a":1}}"#)]
    #[case(r#"{"a":{{n}}}, "{{s}}""#, br#"{"a":7}, "a"b""#)]
    #[case(r"\x7b{n}}", b"{{n}}")]
    #[case("", b"")]
    #[case("é", "é".as_bytes())]
    fn bytes_as_written(#[case] text: &str, #[case] expected: &[u8]) {
        let mut captures = Captures::new();
        captures.set("n", 7);
        captures.set("s", "a\"b");
        assert_eq!(read(text).unwrap().render(&captures).unwrap(), expected);
    }

    #[rstest]
    #[case(r#"\""#, 0..2)]
    #[case(r"ab\x0g", 2..4)]
    #[case(r"ab\", 2..3)]
    #[case(r"ab\é", 2..5)]
    #[case(r"{{id >= 3}}", 0..11)]
    #[case(r"{{repeat '\q' 3}}", 0..17)]
    #[case(r"{{a", 0..3)]
    fn refuses(#[case] text: &str, #[case] span: std::ops::Range<usize>) {
        assert_eq!(read(text).unwrap_err().span, span);
    }
}
