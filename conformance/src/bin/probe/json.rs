//! A JSON value, written on one line.

use std::fmt;

/// A value; objects keep the order in which they were made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(i128),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A list of texts.
    pub(crate) fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(|t| Self::Text(t.into())).collect())
    }

    /// An object.
    pub(crate) fn object<K: Into<String>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(t) => quoted(t, f),
            Self::List(items) => separated(f, '[', ']', items, |item, f| write!(f, "{item}")),
            Self::Object(members) => separated(f, '{', '}', members, |(key, value), f| {
                quoted(key, f)?;
                write!(f, ":{value}")
            }),
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    close: char,
    items: &[T],
    write_item: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{open}")?;
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            f.write_str(",")?;
        }
        write_item(item, f)?;
    }
    write!(f, "{close}")
}

fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c if u32::from(c) < 0x20 => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn a_value_is_one_line_that_json_readers_understand() {
        let value = Json::object([
            ("text", Json::Text("a \"b\" \\ \n \u{1} é".into())),
            (
                "list",
                Json::List(vec![Json::Null, Json::Bool(true), Json::Number(-7)]),
            ),
        ]);
        let written = value.to_string();
        assert_eq!(
            written,
            "{\"text\":\"a \\\"b\\\" \\\\ \\n \\u0001 é\",\"list\":[null,true,-7]}"
        );
    }
}
