//! A pattern as JSON that people read, beside what came.

use serde_json::{Map, Value};

use super::{
    captures::Captures,
    compare::same,
    holding::{elements_of, members_of},
    matcher::{Matcher, Names},
    meet::Scope,
    pattern::{Element, Member, Node, Order, Shape},
};

impl Names for Captures {
    fn value(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// A value as JSON over several lines.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The pattern as a value: matchers as written, captures inserted; where something came that a
/// node accepts, that stands in its place.
pub(crate) fn expected(node: &Node, came: Option<&Value>, captures: &Captures) -> Value {
    if let Some(came) = came
        && Scope::new(captures).meets(node, came)
    {
        return arranged(node, came, captures);
    }
    match &node.shape {
        Shape::Literal(literal) => literal.clone(),
        Shape::Matcher {
            matcher: Matcher::Same(name),
            written,
        } => captures
            .get(&name.text)
            .cloned()
            .unwrap_or_else(|| written.as_str().into()),
        Shape::Matcher { written, .. } => written.as_str().into(),
        Shape::Form(form) => form.with_captures(captures).into(),
        Shape::Json(held, inner) => {
            let value = came.and_then(|came| held.json(came));
            let value = expected(inner, value.as_ref(), captures);
            Map::from_iter([(held.key().to_owned(), value)]).into()
        }
        Shape::Object { members, further } => {
            expected_object(members, further.as_deref(), came, captures)
        }
        Shape::Array { order, elements } => expected_array(*order, elements, came, captures),
    }
}

fn expected_object(
    members: &[Member],
    further: Option<&Node>,
    came: Option<&Value>,
    captures: &Captures,
) -> Value {
    let came = came.and_then(members_of);
    let mut shown = Map::new();
    for member in members {
        let key = member.key.plain_text(captures);
        let value = came.and_then(|came| came.get(&key));
        let written = match (member.optional, value) {
            (true, None) if came.is_some() => continue,
            (true, None) => format!("{{{{optional {key}}}}}"),
            _ => key,
        };
        shown.insert(written, expected(&member.value, value, captures));
    }
    match (further, came) {
        (Some(further), Some(came)) => {
            let others = came
                .iter()
                .filter(|(key, _)| !names(members, key, captures));
            let others =
                others.map(|(key, value)| (key.clone(), expected(further, Some(value), captures)));
            let others: Vec<_> = others.collect();
            shown.extend(others);
        }
        (Some(further), None) => {
            shown.insert("...".to_owned(), expected(further, None, captures));
        }
        (None, _) => {}
    }
    Value::Object(shown)
}

fn names(members: &[Member], key: &str, captures: &Captures) -> bool {
    members
        .iter()
        .any(|member| member.key.plain_text(captures) == key)
}

fn expected_array(
    order: Order,
    elements: &[Element],
    came: Option<&Value>,
    captures: &Captures,
) -> Value {
    let came = came.and_then(elements_of).unwrap_or_default();
    let closed = elements.iter().all(|element| element.node().is_some());
    let mark = match order {
        Order::Given => None,
        Order::Free => Some("{{unordered}}"),
        Order::Each => Some("{{each}}"),
    };
    let mut shown: Vec<Value> = mark.into_iter().map(Value::from).collect();
    for (index, element) in elements.iter().enumerate() {
        // Only in the given order without gaps does an index say which element is meant.
        let value = came.get(index).filter(|_| closed && order == Order::Given);
        shown.push(match element {
            Element::Further => "{{...}}".into(),
            Element::Node(node) => expected(node, value, captures),
        });
    }
    Value::Array(shown)
}

/// What came, with its members in the pattern's order.
pub(crate) fn arranged(node: &Node, came: &Value, captures: &Captures) -> Value {
    match (&node.shape, came) {
        (Shape::Object { members, .. }, Value::Object(object)) => {
            arranged_object(members, object, captures)
        }
        (
            Shape::Array {
                order: Order::Given,
                elements,
            },
            Value::Array(values),
        ) => {
            let closed = elements.iter().all(|element| element.node().is_some());
            let arrange = |(index, value): (usize, &Value)| match elements.get(index) {
                Some(Element::Node(node)) if closed => arranged(node, value, captures),
                _ => value.clone(),
            };
            values.iter().enumerate().map(arrange).collect()
        }
        (Shape::Json(held, inner), Value::String(_)) => match held.json(came) {
            Some(value) => {
                let value = arranged(inner, &value, captures);
                Map::from_iter([(held.key().to_owned(), value)]).into()
            }
            None => came.clone(),
        },
        // So that null for an empty array is no difference.
        (Shape::Literal(literal), _) if same(literal, came) => literal.clone(),
        _ => came.clone(),
    }
}

fn arranged_object(members: &[Member], came: &Map<String, Value>, captures: &Captures) -> Value {
    let mut shown = Map::new();
    for member in members {
        let key = member.key.plain_text(captures);
        if let Some(value) = came.get(&key) {
            shown.insert(key, arranged(&member.value, value, captures));
        }
    }
    for (key, value) in came {
        if !shown.contains_key(key) {
            shown.insert(key.clone(), value.clone());
        }
    }
    Value::Object(shown)
}
