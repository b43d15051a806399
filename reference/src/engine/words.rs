//! Splits a text into words at white space outside quotes. No shell: nothing is expanded.

/// The words; `None` if a quote is not closed or a backslash ends the text.
#[must_use]
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => quoted(c, &mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next()?),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

fn quoted(quote: char, rest: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match rest.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => match rest.next()? {
                c @ ('"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", &[])]
    #[case("  a  b ", &["a", "b"])]
    #[case("a 'b c' \"d e\"", &["a", "b c", "d e"])]
    #[case("K='x y'z", &["K=x yz"])]
    #[case("''", &[""])]
    #[case(r#"a\ b "c\"d" 'e\f'"#, &["a b", "c\"d", r"e\f"])]
    #[case("$HOME *", &["$HOME", "*"])]
    fn words_are_split(#[case] text: &str, #[case] words: &[&str]) {
        assert_eq!(split(text).unwrap(), words);
    }

    #[rstest]
    #[case("'a")]
    #[case("a\\")]
    fn an_open_end_is_no_list_of_words(#[case] text: &str) {
        assert_eq!(split(text), None);
    }
}
