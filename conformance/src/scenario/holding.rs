//! Whether a value meets what leaves no choice: nodes without captures of their own.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{
    assignment,
    compare::{is_hollow, same},
    meet::Scope,
    pattern::{Element, Member, Node, Order, Shape},
};

/// Whether a value meets a node that makes no captures.
pub(crate) fn holds(node: &Node, value: &Value, names: &Scope<'_>) -> bool {
    match &node.shape {
        Shape::Literal(literal) => same(literal, value),
        Shape::Matcher { matcher, .. } => matcher.accepts(value, names),
        Shape::Form(form) => value
            .as_str()
            .is_some_and(|text| form.meets(text, names).is_some()),
        Shape::Json(held, inner) => held
            .json(value)
            .is_some_and(|held| holds(inner, &held, names)),
        Shape::Object { members, further } => {
            member_pairs(members, further.as_deref(), value, names)
                .is_some_and(|pairs| pairs.iter().all(|(node, value)| holds(node, value, names)))
        }
        Shape::Array { order, elements } => {
            elements_of(value).is_some_and(|values| array_holds(*order, elements, values, names))
        }
    }
}

fn array_holds(order: Order, elements: &[Element], values: &[Value], names: &Scope<'_>) -> bool {
    match order {
        Order::Given => unplaced_element(elements, values, names).is_none(),
        Order::Each => elements
            .iter()
            .filter_map(Element::node)
            .all(|node| values.iter().all(|value| holds(node, value, names))),
        Order::Free => {
            let nodes: Vec<&Node> = elements.iter().filter_map(Element::node).collect();
            let left: Vec<&Value> = values.iter().collect();
            fits_in_number(nodes.len(), left.len(), nodes.len() < elements.len())
                && all_paired(&nodes, &left, names)
        }
    }
}

/// The first element of a pattern, by index, that finds no place whatever `{{...}}` stands for;
/// the number of elements if values are left over.
pub(crate) fn unplaced_element(
    elements: &[Element],
    values: &[Value],
    names: &Scope<'_>,
) -> Option<usize> {
    // Where the elements so far may end, as numbers of values.
    let mut ends = vec![0];
    for (index, element) in elements.iter().enumerate() {
        ends = match element {
            Element::Further => {
                (ends.first().copied().unwrap_or_default()..=values.len()).collect()
            }
            Element::Node(node) => ends
                .into_iter()
                .filter(|end| {
                    values
                        .get(*end)
                        .is_some_and(|value| holds(node, value, names))
                })
                .map(|end| end + 1)
                .collect(),
        };
        if ends.is_empty() {
            return Some(index);
        }
    }
    (ends.last() != Some(&values.len())).then_some(elements.len())
}

/// Whether so many nodes can stand for so many values.
pub(super) fn fits_in_number(nodes: usize, values: usize, open: bool) -> bool {
    nodes == values || (open && nodes < values)
}

/// Whether every node finds a value of its own.
pub(super) fn all_paired(nodes: &[&Node], values: &[&Value], names: &Scope<'_>) -> bool {
    let fits = |one: usize, other: usize| {
        let pair = nodes.get(one).zip(values.get(other));
        pair.is_some_and(|(node, value)| holds(node, value, names))
    };
    let partners = assignment::pair(nodes.len(), values.len(), fits);
    partners.iter().flatten().count() == nodes.len()
}

/// Each named member with its value; `None` if one is missing or one too many is there.
pub(super) fn member_pairs<'n, 'v>(
    members: &'n [Member],
    further: Option<&Node>,
    value: &'v Value,
    names: &Scope<'_>,
) -> Option<Vec<(&'n Node, &'v Value)>> {
    let object = members_of(value)?;
    let mut pairs = Vec::new();
    let mut named = std::collections::HashSet::new();
    for member in members {
        let key = member.key.plain_text(names);
        match object.get(&key) {
            Some(value) => pairs.push((&member.value, value)),
            None if member.optional => {}
            None => return None,
        }
        named.insert(key);
    }
    let mut others = object.iter().filter(|(key, _)| !named.contains(*key));
    let fine = others.all(|(_, value)| further.is_some_and(|node| holds(node, value, names)));
    fine.then_some(pairs)
}

/// The members of an object, of which `null` and `[]` have none; `None` for anything else.
pub(crate) fn members_of(value: &Value) -> Option<&Map<String, Value>> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    match value {
        Value::Object(members) => Some(members),
        hollow if is_hollow(hollow) => Some(&NONE),
        _ => None,
    }
}

/// The elements of an array, of which `null` and `{}` have none; `None` for anything else.
pub(crate) fn elements_of(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(elements) => Some(elements),
        hollow if is_hollow(hollow) => Some(&[]),
        _ => None,
    }
}
