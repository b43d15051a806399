//! How a number stands to another: `{{int >= 0}}`, `{{number < before}}`.

use std::{cmp::Ordering, fmt};

use serde_json::{Number, Value};

use super::{
    compare::{compare_numbers, is_whole},
    excerpt::Excerpt,
    insertion::{Name, WordKind, Words, is_name},
    matcher::{Names, RESERVED},
    mistake::Mistake,
};

/// How a number stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Unequal,
}

/// What a number is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Literal(Number),
    Capture(Name),
}

/// Reads what a number is compared with, if anything.
///
/// # Errors
/// Something else than a number or a name follows the sign.
pub(super) fn bound(
    words: &mut Words,
    source: &Excerpt,
) -> Result<Option<(Relation, Operand)>, Mistake> {
    let relation = match words.peek() {
        Some(WordKind::Sign("<")) => Relation::Less,
        Some(WordKind::Sign("<=")) => Relation::AtMost,
        Some(WordKind::Sign(">")) => Relation::Greater,
        Some(WordKind::Sign(">=")) => Relation::AtLeast,
        Some(WordKind::Sign("==")) => Relation::Equal,
        Some(WordKind::Sign("!=")) => Relation::Unequal,
        _ => return Ok(None),
    };
    words.take();
    let word = words.take();
    let range = word
        .as_ref()
        .map_or(words.range.clone(), |word| word.range.clone());
    let operand = match word.map(|word| word.kind) {
        Some(WordKind::Number(written)) => written.parse().ok().map(Operand::Literal),
        Some(WordKind::Name(text)) if is_name(&text) && !RESERVED.contains(&text.as_str()) => {
            let span = source.span(range.clone());
            Some(Operand::Capture(Name { text, span }))
        }
        _ => None,
    };
    let wrong = || {
        source
            .mistake(range, format!("{relation} compares with something else"))
            .expected("expected a number or the name of a capture")
    };
    operand
        .map(|operand| Some((relation, operand)))
        .ok_or_else(wrong)
}

/// Whether a value is a number, whole if it must be, that stands to another as it must.
pub(super) fn accepts_number(
    whole: bool,
    bound: Option<&(Relation, Operand)>,
    value: &Value,
    names: &dyn Names,
) -> bool {
    let Value::Number(number) = value else {
        return false;
    };
    let Some((relation, operand)) = bound else {
        return !whole || is_whole(number);
    };
    let other = match operand {
        Operand::Literal(literal) => Some(literal),
        Operand::Capture(name) => names.value(&name.text).and_then(Value::as_number),
    };
    let order = other.and_then(|other| compare_numbers(number, other));
    (!whole || is_whole(number)) && order.is_some_and(|order| relation.holds(order))
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::Unequal => "!=",
        })
    }
}

impl Operand {
    pub(super) fn describe(&self, names: &dyn Names) -> String {
        match self {
            Self::Literal(number) => number.to_string(),
            Self::Capture(name) => name.describe(names),
        }
    }
}
