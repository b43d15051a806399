//! Where and how a value departs from a pattern, in sentences.

use std::ops::Range;

use serde_json::Value;

use super::{
    assignment,
    captures::Captures,
    holding::{elements_of, holds, members_of, unplaced_element},
    meet::Scope,
    pattern::{Element, Member, Node, Order, Shape},
};

/// How many departures are told at most.
const LIMIT: usize = 20;

/// Where a value departs from a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the value: `containers[0].id`, empty for the body itself.
    pub path: String,
    /// A line that stands alone: `member "message" is "ok", expected "OK"`.
    pub message: String,
    /// The golden node's bytes in the scenario file.
    pub span: Range<usize>,
}

/// What departs, at least one entry; the value does not meet the node.
pub(crate) fn explain(
    root: &Node,
    value: &Value,
    captures: &Captures,
    exhausted: bool,
) -> Vec<Mismatch> {
    let mut explainer = Explainer {
        scope: Scope::new(captures),
        found: Vec::new(),
    };
    explainer.node(root, value, &Path::default());
    let mut found = explainer.found;
    found.truncate(LIMIT);
    if found.is_empty() {
        let message = match exhausted {
            true => "the search for captures that fit took too long",
            false => {
                "every part fits alone, but no choice of elements gives one value to each capture"
            }
        };
        found.push(Path::default().mismatch(root, message.to_owned()));
    }
    found
}

/// A way into a value.
#[derive(Debug, Clone, Default)]
struct Path {
    written: String,
    is_element: bool,
}

impl Path {
    fn member(&self, key: &str) -> Self {
        let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
        let written = match (plain, self.written.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.written),
            (false, _) => format!("{}[{key:?}]", self.written),
        };
        Self {
            written,
            is_element: false,
        }
    }

    fn element(&self, index: usize) -> Self {
        let written = format!("{}[{index}]", self.written);
        Self {
            written,
            is_element: true,
        }
    }

    fn subject(&self) -> String {
        match (self.written.is_empty(), self.is_element) {
            (true, _) => "the body".to_owned(),
            (false, true) => format!("element {}", self.written),
            (false, false) => format!("member \"{}\"", self.written),
        }
    }

    fn mismatch(&self, node: &Node, message: String) -> Mismatch {
        Mismatch {
            path: self.written.clone(),
            message,
            span: node.span.clone(),
        }
    }
}

struct Explainer<'a> {
    scope: Scope<'a>,
    found: Vec<Mismatch>,
}

impl Explainer<'_> {
    fn node(&mut self, node: &Node, value: &Value, path: &Path) {
        if self.found.len() >= LIMIT || self.scope.meets(node, value) {
            return;
        }
        match &node.shape {
            Shape::Literal(literal) => self.differs(node, value, path, &short(literal)),
            Shape::Matcher { matcher, .. } => match matcher.objection(value) {
                Some(objection) => self.note(node, path, &objection),
                None => {
                    let expected = matcher.describe(&self.scope);
                    self.differs(node, value, path, &expected);
                }
            },
            Shape::Form(form) => {
                let expected = format!("a string of the form {:?}", form.written);
                self.differs(node, value, path, &expected);
            }
            Shape::Json(held, inner) => match held.json(value) {
                Some(held) => self.node(inner, &held, path),
                None => self.differs(node, value, path, held.describe()),
            },
            Shape::Object { members, further } => match members_of(value) {
                None => self.differs(node, value, path, "an object"),
                Some(_) => self.object(node, members, further.as_deref(), value, path),
            },
            Shape::Array { order, elements } => match elements_of(value) {
                None => self.differs(node, value, path, "an array"),
                Some(values) => self.array(node, *order, elements, values, path),
            },
        }
    }

    fn differs(&mut self, node: &Node, value: &Value, path: &Path, expected: &str) {
        let message = format!(
            "{} is {}, expected {expected}",
            path.subject(),
            short(value)
        );
        self.found.push(path.mismatch(node, message));
    }

    fn note(&mut self, node: &Node, path: &Path, what: &str) {
        let message = format!("{} {what}", path.subject());
        self.found.push(path.mismatch(node, message));
    }

    fn object(
        &mut self,
        node: &Node,
        members: &[Member],
        further: Option<&Node>,
        value: &Value,
        path: &Path,
    ) {
        let Some(object) = members_of(value) else {
            return;
        };
        let mut named = Vec::new();
        for member in members {
            let key = member.key.plain_text(&self.scope);
            let path = path.member(&key);
            match object.get(&key) {
                Some(value) => self.node(&member.value, value, &path),
                None if member.optional => {}
                None => self.note(&member.value, &path, "is missing"),
            }
            named.push(key);
        }
        for (key, value) in object.iter().filter(|(key, _)| !named.contains(key)) {
            match further {
                Some(further) => self.node(further, value, &path.member(key)),
                None => {
                    let what = format!("is not expected: {}", short(value));
                    self.note(node, &path.member(key), &what);
                }
            }
        }
    }

    fn array(
        &mut self,
        node: &Node,
        order: Order,
        elements: &[Element],
        values: &[Value],
        path: &Path,
    ) {
        let nodes: Vec<&Node> = elements.iter().filter_map(Element::node).collect();
        let open = nodes.len() < elements.len();
        match order {
            Order::Each => {
                for (index, value) in values.iter().enumerate() {
                    nodes
                        .iter()
                        .for_each(|one| self.node(one, value, &path.element(index)));
                }
            }
            Order::Free => self.free(node, &nodes, open, values, path),
            Order::Given if open => self.given_open(node, elements, values, path),
            Order::Given => self.given(node, &nodes, values, path),
        }
    }

    fn given(&mut self, node: &Node, nodes: &[&Node], values: &[Value], path: &Path) {
        for (index, (one, value)) in nodes.iter().zip(values).enumerate() {
            self.node(one, value, &path.element(index));
        }
        for (index, one) in nodes.iter().enumerate().skip(values.len()) {
            self.note(one, &path.element(index), "is missing");
        }
        for (index, value) in values.iter().enumerate().skip(nodes.len()) {
            let what = format!("is not expected: {}", short(value));
            self.note(node, &path.element(index), &what);
        }
    }

    /// An array in order with `{{...}}` somewhere: says which element finds no place.
    fn given_open(&mut self, node: &Node, elements: &[Element], values: &[Value], path: &Path) {
        match unplaced_element(elements, values, &self.scope) {
            None => {}
            Some(index) => match elements.get(index).and_then(Element::node) {
                Some(one) => {
                    let number = index + 1;
                    let what = format!(
                        "has no element where item {number} of the expected ones fits, in order"
                    );
                    self.note(one, path, &what);
                }
                None => self.note(node, path, "has more elements than expected at its end"),
            },
        }
    }

    fn free(&mut self, node: &Node, nodes: &[&Node], open: bool, values: &[Value], path: &Path) {
        let scope = &self.scope;
        let fits = |one: usize, other: usize| {
            let pair = nodes.get(one).zip(values.get(other));
            pair.is_some_and(|(node, value)| holds(node, value, scope))
        };
        let partners = assignment::pair(nodes.len(), values.len(), fits);
        let unpaired = |index: &usize| !partners.contains(&Some(*index));
        let missing: Vec<usize> = (0..nodes.len()).filter(unpaired).collect();
        let left = partners
            .iter()
            .enumerate()
            .filter(|(_, partner)| partner.is_none());
        let left: Vec<usize> = left.map(|(index, _)| index).collect();
        if let ([one], [other]) = (missing.as_slice(), left.as_slice())
            && let Some((one, value)) = nodes.get(*one).zip(values.get(*other))
        {
            return self.node(one, value, &path.element(*other));
        }
        for one in missing.iter().filter_map(|index| nodes.get(*index)) {
            self.note(one, path, "has no element left that fits this one");
        }
        if !open {
            for (index, value) in left.iter().filter_map(|at| Some((at, values.get(*at)?))) {
                let what = format!("fits none of the expected ones: {}", short(value));
                self.note(node, &path.element(*index), &what);
            }
        }
    }
}

/// A value in one line, cut where it is long.
pub(crate) fn short(value: &Value) -> String {
    const LENGTH: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LENGTH) {
        None => text,
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
    }
}
