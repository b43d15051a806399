//! When two JSON values count as the same: numbers as numbers, and `null`, `[]` and `{}` alike.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

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

/// The first element that counts as the same as an earlier one, and that one before it, by index.
pub(crate) fn repeated(elements: &[Value]) -> Option<(usize, usize)> {
    let mut known = HashMap::new();
    let mut elements = elements.iter().enumerate();
    elements.find_map(|(index, one)| {
        let earlier = known.insert(canonical(one), index)?;
        Some((earlier, index))
    })
}

/// A text that values have in common if they count as the same, and only then.
fn canonical(value: &Value) -> String {
    match value {
        hollow if is_hollow(hollow) => "null".to_owned(),
        Value::Number(number) => {
            let whole = number.as_i128().or_else(|| {
                let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
                whole_part(float)
            });
            whole.map_or_else(|| format!("{:?}", number.as_f64()), |w| w.to_string())
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (Value::from(key.as_str()).to_string(), canonical(value)));
            format!("{:?}", members.collect::<BTreeMap<_, _>>())
        }
        other => other.to_string(),
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
        assert_eq!(canonical(&left) == canonical(&right), expected);
    }

    #[rstest]
    #[case(json!([]), None)]
    #[case(json!(["a", "b", "A", "1", 1]), None)]
    #[case(json!(["a", "b", "b", "a"]), Some((1, 2)))]
    #[case(json!([{"x": 1}, {"x": 1.0}]), Some((0, 1)))]
    #[case(json!([null, "", []]), Some((0, 2)))]
    fn an_element_that_comes_again_is_found(
        #[case] elements: Value,
        #[case] wanted: Option<(usize, usize)>,
    ) {
        let elements = elements.as_array().map(Vec::as_slice).unwrap();
        assert_eq!(repeated(elements), wanted);
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
