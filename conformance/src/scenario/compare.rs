//! When two JSON values count as the same: numbers as numbers, and `null`, `[]` and `{}` alike.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Whether a value is `null`, `[]` or `{}`.
pub(crate) fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether two values count as the same.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            compare_numbers(left, right) == Some(Ordering::Equal)
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .all(|(left, right)| same(left, right)),
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => left
            .iter()
            .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other))),
        _ => left == right || (is_hollow(left) && is_hollow(right)),
    }
}

/// Which of two numbers is greater, exactly: integers are not rounded to floats.
pub(crate) fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(left), None) => compare_with_float(left, right.as_f64()?),
        (None, Some(right)) => compare_with_float(right, left.as_f64()?).map(Ordering::reverse),
        (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn compare_with_float(whole: i128, float: f64) -> Option<Ordering> {
    match whole_part(float) {
        Some(part) if part != whole => Some(whole.cmp(&part)),
        Some(_) => 0.0.partial_cmp(&float.fract()),
        // Out of the range of i128, so the sign decides.
        None => 0.0.partial_cmp(&float),
    }
}

/// The whole part of a float, exactly: Rust prints every digit of it.
fn whole_part(float: f64) -> Option<i128> {
    format!("{:.0}", float.trunc()).parse().ok()
}

/// Whether a number has no fraction.
pub(crate) fn is_whole(number: &Number) -> bool {
    number.as_i128().is_some() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!(1), json!(1.0), true)]
    #[case(json!(9007199254740993_u64), json!(9007199254740992_u64), false)]
    #[case(json!(9007199254740993_u64), json!(9007199254740992.0), false)]
    #[case(json!(u64::MAX), json!(u64::MAX), true)]
    #[case(json!(u64::MAX), json!(18446744073709551616.0), false)]
    #[case(json!(-1), json!(u64::MAX), false)]
    #[case(json!(0), json!(-0.0), true)]
    #[case(json!(null), json!([]), true)]
    #[case(json!({}), json!([]), true)]
    #[case(json!({"a": null}), json!({"a": {}}), true)]
    #[case(json!({"a": null}), json!({}), false)]
    #[case(json!([null]), json!([]), false)]
    #[case(json!(""), json!(null), false)]
    #[case(json!(false), json!(null), false)]
    #[case(json!(0), json!("0"), false)]
    #[case(json!([1, 2]), json!([2, 1]), false)]
    #[case(json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true)]
    fn sameness(#[case] left: Value, #[case] right: Value, #[case] expected: bool) {
        assert_eq!(same(&left, &right), expected);
        assert_eq!(same(&right, &left), expected);
    }

    #[rstest]
    #[case(json!(1), json!(1.5), Ordering::Less)]
    #[case(json!(2), json!(1.5), Ordering::Greater)]
    #[case(json!(-1), json!(-1.5), Ordering::Greater)]
    #[case(json!(-2), json!(-1.5), Ordering::Less)]
    #[case(json!(0), json!(-0.5), Ordering::Greater)]
    #[case(json!(u64::MAX), json!(1e300), Ordering::Less)]
    #[case(json!(i64::MIN), json!(-1e300), Ordering::Greater)]
    #[case(json!(0.1), json!(0.2), Ordering::Less)]
    fn order(#[case] left: Value, #[case] right: Value, #[case] expected: Ordering) {
        let (Value::Number(left), Value::Number(right)) = (left, right) else {
            panic!("numbers")
        };
        assert_eq!(compare_numbers(&left, &right), Some(expected));
        assert_eq!(compare_numbers(&right, &left), Some(expected.reverse()));
    }
}
