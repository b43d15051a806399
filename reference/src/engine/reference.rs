//! Names of images: what may be written, and what a shorter name stands for.

use std::fmt;

/// The longest `REGISTRY/PATH` that registries take.
const LONGEST_NAME: usize = 255;

/// Why a text cannot be an image's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} cannot be the name of an image: {reason}")]
pub struct InvalidReference {
    text: String,
    reason: &'static str,
}

/// A complete name: `REGISTRY/PATH:TAG`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    path: String,
    tag: String,
}

impl Reference {
    /// The name that is written for `text`: without a registry it is `localhost`, without a tag `latest`.
    pub fn to_write(text: &str) -> Result<Self, InvalidReference> {
        let refused = |reason| InvalidReference {
            text: text.chars().take(300).collect(),
            reason,
        };
        if text.contains('@') {
            return Err(refused("a digest cannot be chosen"));
        }
        let (registry, path, tag) = split(text);
        let registry = registry.unwrap_or("localhost");
        let tag = tag.unwrap_or("latest");
        let path_is_valid = path.split('/').all(is_component);
        let length = registry.len() + 1 + path.len();
        match () {
            () if !is_registry(registry) => Err(refused("the registry is malformed")),
            () if path.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Err(refused("its path must be lower-case"))
            }
            () if !path_is_valid => Err(refused("the path is malformed")),
            () if !is_tag(tag) => Err(refused("the tag is malformed")),
            () if length > LONGEST_NAME => Err(refused("it is longer than 255 bytes")),
            () => Ok(Self {
                registry: registry.into(),
                path: path.into(),
                tag: tag.into(),
            }),
        }
    }

    /// Reads back what [`fmt::Display`] wrote.
    #[must_use]
    pub fn stored(text: &str) -> Option<Self> {
        Self::to_write(text).ok()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.path, self.tag)
    }
}

/// How well a written name fits a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is the whole name, but perhaps for the tag `latest`.
    Full,
    /// Its path components are the last ones.
    Short,
}

/// A name as a caller writes it to find an image.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    registry: Option<&'a str>,
    path: &'a str,
    tag: &'a str,
}

impl<'a> Wanted<'a> {
    /// Reads it; what could be no name at all just fits nothing.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let (registry, path, tag) = split(text);
        Self {
            registry,
            path,
            tag: tag.unwrap_or("latest"),
        }
    }

    /// Whether and how it fits.
    #[must_use]
    pub fn fit(&self, reference: &Reference) -> Option<Fit> {
        if self.path.is_empty() || self.tag != reference.tag {
            return None;
        }
        match self.registry {
            Some(registry) => {
                let whole = registry == reference.registry && self.path == reference.path;
                whole.then_some(Fit::Full)
            }
            None => {
                let before = reference.path.strip_suffix(self.path)?;
                (before.is_empty() || before.ends_with('/')).then_some(Fit::Short)
            }
        }
    }
}

/// Registry, path and tag, none of them checked.
fn split(text: &str) -> (Option<&str>, &str, Option<&str>) {
    let (registry, rest) = match text.split_once('/') {
        Some((first, rest)) if names_registry(first) => (Some(first), rest),
        _ => (None, text),
    };
    match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (registry, path, Some(tag)),
        _ => (registry, rest, None),
    }
}

fn names_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+` with `.`, `_`, `__` or dashes between.
fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    let mut separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends.iter().all(|end| end.is_some_and(alphanumeric))
        && separators.all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let inner = |byte: u8| word(byte) || matches!(byte, b'.' | b'-');
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("probe", "localhost/probe:latest")]
    #[case("a/b", "localhost/a/b:latest")]
    #[case("a/b:1.0", "localhost/a/b:1.0")]
    #[case("localhost/a", "localhost/a:latest")]
    #[case("localhost:5000/a:x", "localhost:5000/a:x")]
    #[case("quay.io/a/b_c__d.e-f--g:X_y", "quay.io/a/b_c__d.e-f--g:X_y")]
    fn a_name_is_completed(#[case] text: &str, #[case] written: &str) {
        let reference = Reference::to_write(text).unwrap();
        assert_eq!(reference.to_string(), written);
        assert_eq!(Reference::stored(written), Some(reference));
    }

    #[rstest]
    #[case("")]
    #[case("UPPER")]
    #[case("a b")]
    #[case("a//b")]
    #[case("/a")]
    #[case("a/")]
    #[case("a:")]
    #[case("a:-x")]
    #[case("a:b:c")]
    #[case("-a")]
    #[case("a..b")]
    #[case("a___b")]
    #[case("é")]
    #[case("quay.io/")]
    #[case("quay.io:x/a")]
    #[case("a@sha256:0000000000000000000000000000000000000000000000000000000000000000")]
    fn a_malformed_name_is_refused_by_name(#[case] text: &str) {
        let error = Reference::to_write(text).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }

    #[rstest]
    #[case("localhost/x/probe", "localhost/x/probe:latest", Some(Fit::Full))]
    #[case(
        "localhost/x/probe:latest",
        "localhost/x/probe:latest",
        Some(Fit::Full)
    )]
    #[case("probe", "localhost/x/probe:latest", Some(Fit::Short))]
    #[case("x/probe:latest", "localhost/x/probe:latest", Some(Fit::Short))]
    #[case("robe", "localhost/x/probe:latest", None)]
    #[case("probe:2", "localhost/x/probe:latest", None)]
    #[case("localhost/probe", "localhost/x/probe:latest", None)]
    #[case("", "localhost/x/probe:latest", None)]
    #[case(":latest", "localhost/x/probe:latest", None)]
    #[case("/", "localhost/x/probe:latest", None)]
    fn a_written_name_fits(#[case] text: &str, #[case] stored: &str, #[case] fit: Option<Fit>) {
        let reference = Reference::stored(stored).unwrap();
        assert_eq!(Wanted::new(text).fit(&reference), fit);
    }
}
