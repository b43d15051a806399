//! Whether a value meets a pattern: a search, since captures and free order leave choices.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{
    assignment,
    captures::Captures,
    compare::{is_hollow, same},
    form::Form,
    matcher::{Matcher, Names},
    pattern::{Element, Member, Node, Order, Shape},
};

/// How many nodes a search looks at before it gives up; only a body with several captures in an
/// unordered array of many like elements comes near.
const BUDGET: usize = 1_000_000;

/// The names known while a body is matched, and what the search has left.
pub(crate) struct Scope<'a> {
    captures: &'a Captures,
    made: Vec<(String, Value)>,
    budget: usize,
}

/// What is left to be met after a node; it makes the search go back where it is not.
type Next<'n, 'a> = &'n mut dyn FnMut(&mut Scope<'a>) -> bool;

impl Names for Scope<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        let made = self.made.iter().rev().find(|(made, _)| made == name);
        made.map(|(_, value)| value)
            .or_else(|| self.captures.get(name))
    }
}

impl<'a> Scope<'a> {
    pub(crate) fn new(captures: &'a Captures) -> Self {
        Self {
            captures,
            made: Vec::new(),
            budget: 0,
        }
    }

    /// Whether a value meets a node; if so, its captures are among those made.
    pub(crate) fn meets(&mut self, node: &Node, value: &Value) -> bool {
        self.budget = BUDGET;
        self.meet(node, value, &mut |_| true)
    }

    /// The captures made, in order.
    pub(crate) fn into_made(self) -> Vec<(String, Value)> {
        self.made
    }

    /// Whether the search gave up.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.budget == 0
    }

    /// Whether a value meets a node, and the rest can be met after it.
    fn meet(&mut self, node: &Node, value: &Value, next: Next<'_, 'a>) -> bool {
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 {
            return false;
        }
        if !node.makes {
            return holds(node, value, self) && next(self);
        }
        match &node.shape {
            Shape::Literal(_) => holds(node, value, self) && next(self),
            Shape::Matcher { matcher, .. } => self.meet_matcher(matcher, value, next),
            Shape::Form(form) => self.meet_form(form, value, next),
            Shape::Json(held, inner) => held
                .json(value)
                .is_some_and(|held| self.meet(inner, &held, next)),
            Shape::Object { members, further } => {
                self.meet_object(members, further.as_deref(), value, next)
            }
            Shape::Array { order, elements } => match (elements_of(value), order) {
                (None, _) => false,
                (Some(values), Order::Free) => self.meet_free(elements, values, next),
                // A capture for each element is a mistake, so only the given order is left.
                (Some(values), Order::Given | Order::Each) => {
                    self.meet_given(elements, values, next)
                }
            },
        }
    }

    /// Goes on with more captures, and takes them back if that fails.
    fn with(
        &mut self,
        made: impl IntoIterator<Item = (String, Value)>,
        next: Next<'_, 'a>,
    ) -> bool {
        let before = self.made.len();
        self.made.extend(made);
        let met = next(self);
        if !met {
            self.made.truncate(before);
        }
        met
    }

    fn meet_matcher(&mut self, matcher: &Matcher, value: &Value, next: Next<'_, 'a>) -> bool {
        let made = match matcher {
            Matcher::Capture(name, _) => Some((name.text.clone(), value.clone())),
            _ => None,
        };
        matcher.accepts(value, self) && self.with(made, next)
    }

    fn meet_form(&mut self, form: &Form, value: &Value, next: Next<'_, 'a>) -> bool {
        let made = value.as_str().and_then(|text| form.meets(text, self));
        made.is_some_and(|made| self.with(made, next))
    }

    fn meet_object(
        &mut self,
        members: &[Member],
        further: Option<&Node>,
        value: &Value,
        next: Next<'_, 'a>,
    ) -> bool {
        let Some(pairs) = member_pairs(members, further, value, self) else {
            return false;
        };
        let (in_order, others): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(node, _)| node.in_order);
        others.iter().all(|(node, value)| holds(node, value, self))
            && self.meet_all(&in_order, next)
    }

    fn meet_all(&mut self, pairs: &[(&Node, &Value)], next: Next<'_, 'a>) -> bool {
        match pairs.split_first() {
            None => next(self),
            Some(((node, value), rest)) => {
                self.meet(node, value, &mut |scope| scope.meet_all(rest, next))
            }
        }
    }

    fn meet_given(&mut self, elements: &[Element], values: &[Value], next: Next<'_, 'a>) -> bool {
        let (mut elements, mut values) = (elements, values);
        loop {
            match elements.split_first() {
                None => return values.is_empty() && next(self),
                Some((Element::Further, [])) => return next(self),
                Some((Element::Further, rest)) => {
                    let mut ends = (0..=values.len()).filter_map(|skip| values.get(skip..));
                    return ends.any(|values| self.meet_given(rest, values, next));
                }
                Some((Element::Node(node), rest)) => {
                    let Some((value, left)) = values.split_first() else {
                        return false;
                    };
                    if node.makes {
                        return self
                            .meet(node, value, &mut |scope| scope.meet_given(rest, left, next));
                    }
                    if !holds(node, value, self) {
                        return false;
                    }
                    (elements, values) = (rest, left);
                }
            }
        }
    }

    fn meet_free(&mut self, elements: &[Element], values: &[Value], next: Next<'_, 'a>) -> bool {
        let nodes: Vec<&Node> = elements.iter().filter_map(Element::node).collect();
        let open = nodes.len() < elements.len();
        if !fits_in_number(nodes.len(), values.len(), open) {
            return false;
        }
        let (in_order, others): (Vec<_>, Vec<_>) =
            nodes.into_iter().partition(|node| node.in_order);
        let left: Vec<&Value> = values.iter().collect();
        self.place(&in_order, &others, &left, next)
    }

    /// Tries every value that is left for the first node, then the rest; nodes without captures
    /// of this body are paired last, where any pairing is as good as another.
    fn place(
        &mut self,
        in_order: &[&Node],
        others: &[&Node],
        left: &[&Value],
        next: Next<'_, 'a>,
    ) -> bool {
        let Some((node, rest)) = in_order.split_first() else {
            return all_paired(others, left, self) && next(self);
        };
        (0..left.len()).any(|taken| {
            let Some(value) = left.get(taken) else {
                return false;
            };
            let mut remaining = left.to_vec();
            remaining.remove(taken);
            self.meet(node, value, &mut |scope| {
                scope.place(rest, others, &remaining, next)
            })
        })
    }
}

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

fn fits_in_number(nodes: usize, values: usize, open: bool) -> bool {
    nodes == values || (open && nodes < values)
}

fn all_paired(nodes: &[&Node], values: &[&Value], names: &Scope<'_>) -> bool {
    let fits = |one: usize, other: usize| {
        let pair = nodes.get(one).zip(values.get(other));
        pair.is_some_and(|(node, value)| holds(node, value, names))
    };
    let partners = assignment::pair(nodes.len(), values.len(), fits);
    partners.iter().flatten().count() == nodes.len()
}

/// Each named member with its value; `None` if one is missing or one too many is there.
fn member_pairs<'n, 'v>(
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
