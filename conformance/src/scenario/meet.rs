//! Whether a value meets a pattern: a search, since captures and free order leave choices.

use serde_json::Value;

use super::{
    captures::Captures,
    form::Form,
    holding::{all_paired, elements_of, fits_in_number, holds, member_pairs},
    matcher::{Matcher, Names},
    pattern::{Element, Member, Node, Order, Shape},
};

/// How many nodes a search looks at before it gives up; only a body with several captures in an
/// unordered array of many like elements comes near.
const BUDGET: usize = 200_000;

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
                    return self.meet_behind_gap(rest, values, next);
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

    /// Elements behind a gap may begin anywhere; behind the last gap only one place leaves no
    /// value over, which matters where a log has millions of lines.
    fn meet_behind_gap(
        &mut self,
        elements: &[Element],
        values: &[Value],
        next: Next<'_, 'a>,
    ) -> bool {
        let needed = elements.iter().filter_map(Element::node).count();
        let Some(last) = values.len().checked_sub(needed) else {
            return false;
        };
        let is_last_gap = needed == elements.len();
        let mut places = (if is_last_gap { last } else { 0 })..=last;
        places.any(|skip| {
            let values = values.get(skip..).unwrap_or_default();
            self.meet_given(elements, values, next)
        })
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
