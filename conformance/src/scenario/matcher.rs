//! Matchers: what `{{…}}` says of a value.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::{
    compare::{is_hollow, repeated, same},
    definition::Definition,
    excerpt::Excerpt,
    holding::elements_of,
    insertion::{Name, WordKind, Words, is_name},
    mistake::Mistake,
    relation::{Operand, Relation, accepts_number, bound},
};

/// The words that cannot name a capture.
pub(crate) const RESERVED: [&str; 19] = [
    "any",
    "string",
    "nonempty",
    "bool",
    "array",
    "object",
    "distinct",
    "definition",
    "id",
    "int",
    "number",
    "time",
    "not",
    "json",
    "logged",
    "optional",
    "unordered",
    "each",
    "repeat",
];

/// What a value must be.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    Any,
    Text,
    Nonempty,
    Bool,
    Array,
    Object,
    /// An array whose elements differ from each other.
    Distinct,
    Definition(Definition),
    Id,
    Time,
    Number {
        whole: bool,
        bound: Option<(Relation, Operand)>,
    },
    Regex {
        written: String,
        whole: Box<Regex>,
    },
    Not(Box<Matcher>),
    Same(Name),
    Capture(Name, Box<Matcher>),
}

/// The values that names have while a body is matched.
pub(crate) trait Names {
    /// The value of a name.
    fn value(&self, name: &str) -> Option<&Value>;
}

static ID: LazyLock<Option<Regex>> = LazyLock::new(|| whole_regex("[0-9a-f]{64}"));
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| whole_regex(TIME_FORM));

/// RFC 3339, or Go's `Time.String()`: `2018-05-17 10:11:12.5 +0000 UTC`, perhaps with ` m=+0.1`.
const TIME_FORM: &str = concat!(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])",
    r"(?:[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?",
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    r"| (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?",
    r" [+-][0-9]{4} [A-Za-z0-9+-]+(?: m=[+-][0-9]+\.[0-9]+)?)"
);

/// A regex that must match a whole text; `None` only where the regex is wrong.
pub(crate) fn whole_regex(written: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{written})\z")).ok()
}

impl Matcher {
    /// Reads the words of one `{{…}}`.
    ///
    /// # Errors
    /// They are no matcher.
    pub(crate) fn read(mut words: Words, source: &Excerpt) -> Result<Self, Mistake> {
        let matcher = Self::expression(&mut words, source, true)?;
        words.finish(source)?;
        Ok(matcher)
    }

    fn expression(words: &mut Words, source: &Excerpt, may_name: bool) -> Result<Self, Mistake> {
        let Some(word) = words.take() else {
            return Err(source
                .mistake(words.range.clone(), "nothing in {{…}}")
                .expected("expected a matcher or the name of a capture"));
        };
        let span = source.span(word.range.clone());
        match word.kind {
            WordKind::Regex(written) => match whole_regex(&written) {
                Some(whole) => Ok(Self::Regex {
                    written,
                    whole: Box::new(whole),
                }),
                None => Err(wrong_regex(source, word.range, &written)),
            },
            WordKind::Name(text) if words.take_sign("=") => {
                let name = Name { text, span };
                check_new_name(&name, source, may_name)?;
                let matcher = Self::expression(words, source, false)?;
                Ok(Self::Capture(name, Box::new(matcher)))
            }
            WordKind::Name(text) => Self::named(Name { text, span }, words, source),
            _ => Err(source
                .mistake(word.range, "not a matcher")
                .expected("expected a matcher or the name of a capture")),
        }
    }

    fn named(name: Name, words: &mut Words, source: &Excerpt) -> Result<Self, Mistake> {
        Ok(match name.text.as_str() {
            "any" => Self::Any,
            "string" => Self::Text,
            "nonempty" => Self::Nonempty,
            "bool" => Self::Bool,
            "array" => Self::Array,
            "object" => Self::Object,
            "distinct" => Self::Distinct,
            "definition" => Self::Definition(Definition::read(words, source)?),
            "id" => Self::Id,
            "time" => Self::Time,
            "int" | "number" => Self::Number {
                whole: name.text == "int",
                bound: bound(words, source)?,
            },
            // Refused before it is read, since it would nest as deep as the text is long.
            "not" if words.peek() == Some(&WordKind::Name("not".to_owned())) => {
                return Err(twice_not(&name, source));
            }
            "not" => Self::Not(Box::new(Self::expression(words, source, false)?)),
            other if RESERVED.contains(&other) => return Err(misplaced(&name, source)),
            other if is_name(other) => Self::Same(name),
            _ => {
                let message = format!("unknown matcher {:?}", name.text);
                let mistake = Mistake::new(source.file(), name.span, message);
                return Err(mistake.expected(format!("expected {KNOWN}")));
            }
        })
    }

    /// Whether a value is what the matcher says.
    pub(crate) fn accepts(&self, value: &Value, names: &dyn Names) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Nonempty => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Bool => value.is_boolean(),
            Self::Array => value.is_array() || is_hollow(value),
            Self::Object => value.is_object() || is_hollow(value),
            Self::Distinct => elements_of(value).is_some_and(|all| repeated(all).is_none()),
            Self::Definition(definition) => definition.accepts(value),
            Self::Id => matches_text(ID.as_ref(), value),
            Self::Time => matches_text(TIME.as_ref(), value),
            Self::Regex { whole, .. } => matches_text(Some(whole), value),
            Self::Number { whole, bound } => accepts_number(*whole, bound.as_ref(), value, names),
            Self::Not(matcher) => !matcher.accepts(value, names),
            Self::Same(name) => names
                .value(&name.text)
                .is_some_and(|known| same(known, value)),
            Self::Capture(_, matcher) => matcher.accepts(value, names),
        }
    }

    /// The regex for this matcher inside a longer text, if it can stand there.
    pub(crate) fn inside_text(&self) -> Option<&str> {
        Some(match self {
            Self::Any | Self::Text => "(?s:.*)",
            Self::Nonempty => "(?s:.+)",
            Self::Bool => "true|false",
            Self::Id => "[0-9a-f]{64}",
            Self::Time => TIME_FORM,
            Self::Number { whole: true, .. } => "-?[0-9]+",
            Self::Number { whole: false, .. } => r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?",
            Self::Regex { written, .. } => written,
            Self::Capture(_, matcher) => return matcher.inside_text(),
            Self::Array
            | Self::Object
            | Self::Distinct
            | Self::Definition(_)
            | Self::Not(_)
            | Self::Same(_) => return None,
        })
    }

    /// A text found inside a longer one, as the value that it stands for.
    pub(crate) fn value_of(&self, text: &str) -> Value {
        match self {
            Self::Number { .. } => text
                .parse::<Number>()
                .map_or_else(|_| text.into(), Value::from),
            Self::Capture(_, matcher) => matcher.value_of(text),
            _ => text.into(),
        }
    }

    /// What the matcher says, to stand after "expected".
    pub(crate) fn describe(&self, names: &dyn Names) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Nonempty => "a string that is not empty".to_owned(),
            Self::Bool => "a bool".to_owned(),
            Self::Array => "an array".to_owned(),
            Self::Object => "an object".to_owned(),
            Self::Distinct => "an array whose elements differ from each other".to_owned(),
            Self::Definition(definition) => definition.describe(),
            Self::Id => "64 lower-case hexadecimal digits".to_owned(),
            Self::Time => "a point in time".to_owned(),
            Self::Regex { written, .. } => format!("a string that matches /{written}/"),
            Self::Number { whole, bound } => {
                let kind = if *whole { "an integer" } else { "a number" };
                let bound = bound
                    .as_ref()
                    .map(|(relation, operand)| format!(" {relation} {}", operand.describe(names)));
                format!("{kind}{}", bound.unwrap_or_default())
            }
            Self::Not(matcher) => format!("anything but {}", matcher.describe(names)),
            Self::Same(name) => name.describe(names),
            Self::Capture(_, matcher) => matcher.describe(names),
        }
    }

    /// What is wrong with a value that is not accepted, where that says more than the value and what was expected.
    pub(crate) fn objection(&self, value: &Value) -> Option<String> {
        match self {
            Self::Distinct => {
                let elements = elements_of(value)?;
                let (first, again) = repeated(elements)?;
                let element = super::mismatch::short(elements.get(first)?);
                Some(format!(
                    "has {element} at {first} and again at {again}, expected it once"
                ))
            }
            Self::Definition(definition) => definition.objection(value.as_str()?),
            Self::Capture(_, matcher) => matcher.objection(value),
            _ => None,
        }
    }

    /// Calls back for every name that is used, then for every name that is made.
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Name, bool)) {
        match self {
            Self::Number {
                bound: Some((_, Operand::Capture(name))),
                ..
            }
            | Self::Same(name) => {
                visit(name, false);
            }
            Self::Not(matcher) => matcher.visit(visit),
            Self::Capture(name, matcher) => {
                matcher.visit(visit);
                visit(name, true);
            }
            _ => {}
        }
    }
}

pub(crate) const KNOWN: &str = "any, string, nonempty, bool, array, object, distinct, definition of NAME, id, int, \
                     number, time, /regex/, not M, name = M, or a name";

fn wrong_regex(source: &Excerpt, range: std::ops::Range<usize>, written: &str) -> Mistake {
    let reason = Regex::new(written).err().map(|error| error.to_string());
    let reason = reason
        .as_deref()
        .and_then(|text| text.lines().last())
        .unwrap_or("error: invalid");
    let reason = reason.trim_start_matches("error: ");
    source
        .mistake(range, "not a regex")
        .expected(reason.to_owned())
}

fn check_new_name(name: &Name, source: &Excerpt, may_name: bool) -> Result<(), Mistake> {
    let mistake = |message: String| Mistake::new(source.file(), name.span.clone(), message);
    if !may_name {
        return Err(
            mistake("a capture can only stand first in {{…}}".to_owned())
                .expected("expected {{name = matcher}}"),
        );
    }
    if RESERVED.contains(&name.text.as_str()) {
        return Err(mistake(format!("{:?} is the name of a matcher", name.text))
            .expected("expected another name for the capture"));
    }
    if super::captures::ALWAYS_THERE.contains(&name.text.as_str()) {
        return Err(mistake(format!("{:?} is always there", name.text))
            .expected("expected another name for the capture"));
    }
    if !is_name(&name.text) {
        return Err(mistake(format!("{:?} cannot name a capture", name.text))
            .expected("expected letters, digits, _ and -"));
    }
    Ok(())
}

fn twice_not(name: &Name, source: &Excerpt) -> Mistake {
    Mistake::new(source.file(), name.span.clone(), "not before another not")
        .expected("expected one not, or none")
}

fn misplaced(name: &Name, source: &Excerpt) -> Mistake {
    let place = match name.text.as_str() {
        "json" => "the only key of an object: {\"{{json}}\": M}",
        "logged" => "the only key of an object: {\"{{logged}}\": M}",
        "optional" => "a key: \"{{optional K}}\": M",
        "unordered" | "each" => "the first element of an array",
        _ => "a text to send",
    };
    Mistake::new(
        source.file(),
        name.span.clone(),
        format!("{:?} cannot stand here", name.text),
    )
    .expected(format!("it is for {place}"))
}

fn matches_text(regex: Option<&Regex>, value: &Value) -> bool {
    regex
        .zip(value.as_str())
        .is_some_and(|(regex, text)| regex.is_match(text))
}

impl Name {
    pub(super) fn describe(&self, names: &dyn Names) -> String {
        match names.value(&self.text) {
            Some(value) => format!("{} ({})", super::mismatch::short(value), self.text),
            None => format!("the value of {:?}, which has none", self.text),
        }
    }
}
