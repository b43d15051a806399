//! A golden body: its shape as written, and the questions asked of it.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use serde_json::Value;

use super::{
    ast::SourceFile,
    captures::Captures,
    excerpt::Excerpt,
    form::Form,
    golden,
    held::Held,
    insertion::Name,
    json::{Json, read_whole_json},
    matcher::Matcher,
    meet::Scope,
    mismatch::{self, Mismatch},
    mistake::Mistake,
    show,
};

/// A golden body: JSON with matchers and captures.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(crate) root: Node,
}

/// A value of a golden body.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    pub(crate) span: Range<usize>,
    /// Something in it makes a capture.
    pub(crate) makes: bool,
    /// It makes a capture or uses one of the same body, so it is met in the order of the file.
    pub(crate) in_order: bool,
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Literal(Value),
    Matcher {
        matcher: Matcher,
        written: String,
    },
    Form(Form),
    Object {
        members: Vec<Member>,
        /// What members that are not named must be; `None`: there are none.
        further: Option<Box<Node>>,
    },
    Array {
        order: Order,
        elements: Vec<Element>,
    },
    /// A string that holds JSON.
    Json(Held, Box<Node>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) key: Form,
    pub(crate) optional: bool,
    pub(crate) value: Node,
}

/// How the elements of an array are held against those of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// One by one.
    Given,
    /// In any order.
    Free,
    /// Every element of the value against the only one of the pattern.
    Each,
}

/// An element of an array.
#[derive(Debug, Clone)]
pub(crate) enum Element {
    /// Any number of elements.
    Further,
    Node(Node),
}

/// A name in a pattern, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameUse<'a> {
    pub(crate) name: &'a Name,
    /// It is captured here, and not used.
    pub(crate) made: bool,
    /// It stands in an optional member.
    pub(crate) optional: bool,
    /// It stands in a key.
    pub(crate) in_key: bool,
}

impl Pattern {
    /// Reads the golden body that stands at a span of a file.
    ///
    /// # Errors
    /// It is not JSON, or a matcher in it is not one.
    pub fn parse(file: &Arc<SourceFile>, span: Range<usize>) -> Result<Self, Vec<Mistake>> {
        let source = Excerpt::of(file, span);
        Self::from_json(file, &read_whole_json(&source)?)
    }

    /// The pattern that a JSON value of a file is.
    ///
    /// # Errors
    /// A matcher in it is not one.
    pub(crate) fn from_json(file: &Arc<SourceFile>, json: &Json) -> Result<Self, Vec<Mistake>> {
        golden::read(file, json).map(|root| Self { root })
    }

    /// Whether a value meets the pattern; captures are made only if all of it does.
    ///
    /// # Errors
    /// Where it does not, at least one entry.
    pub fn meets(&self, value: &Value, captures: &mut Captures) -> Result<(), Vec<Mismatch>> {
        let mut scope = Scope::new(captures);
        if scope.meets(&self.root, value) {
            let made = scope.into_made();
            made.into_iter()
                .for_each(|(name, value)| captures.set(name, value));
            return Ok(());
        }
        let exhausted = scope.is_exhausted();
        Err(mismatch::explain(&self.root, value, captures, exhausted))
    }

    /// The body as pretty-printed JSON, captures inserted where they have a value, matchers as
    /// written.
    pub fn render(&self, captures: &Captures) -> String {
        show::pretty(&show::expected(&self.root, None, captures))
    }

    /// Both sides of a diff, pretty-printed: what was expected and what came. Where a matcher
    /// accepts what came, the expected side shows that, and members stand in the pattern's order,
    /// so that the two differ only where the value departs from the pattern.
    pub fn diff(&self, value: &Value, captures: &Captures) -> (String, String) {
        let expected = show::expected(&self.root, Some(value), captures);
        let actual = show::arranged(&self.root, value, captures);
        (show::pretty(&expected), show::pretty(&actual))
    }

    /// The names in the pattern, in the order of the file.
    pub(crate) fn names(&self) -> Vec<NameUse<'_>> {
        let mut names = Vec::new();
        self.root.visit(false, &mut |name| names.push(name));
        names
    }
}

impl Node {
    /// Calls back for every name, in the order of the file.
    pub(crate) fn visit<'a>(&'a self, optional: bool, visit: &mut dyn FnMut(NameUse<'a>)) {
        let mut leaf = |name, made| {
            visit(NameUse {
                name,
                made,
                optional,
                in_key: false,
            });
        };
        match &self.shape {
            Shape::Literal(_) => {}
            Shape::Matcher { matcher, .. } => matcher.visit(&mut leaf),
            Shape::Form(form) => form.visit(&mut leaf),
            Shape::Json(_, inner) => inner.visit(optional, visit),
            Shape::Array { elements, .. } => {
                let nodes = elements.iter().filter_map(Element::node);
                nodes.for_each(|node| node.visit(optional, visit));
            }
            Shape::Object { members, further } => {
                for member in members {
                    member.key.visit(&mut |name, made| {
                        visit(NameUse {
                            name,
                            made,
                            optional,
                            in_key: true,
                        });
                    });
                    member.value.visit(optional || member.optional, visit);
                }
                if let Some(further) = further {
                    further.visit(optional, visit);
                }
            }
        }
    }

    /// Notes which nodes make captures, and which use those of the same body; counts the nodes
    /// that are met in order.
    pub(crate) fn settle(&mut self, locals: &BTreeSet<String>) -> usize {
        let (mut makes, mut in_order) = (false, false);
        self.visit(false, &mut |used| {
            makes |= used.made;
            in_order |= locals.contains(&used.name.text);
        });
        self.makes = makes;
        self.in_order = in_order;
        usize::from(in_order) + self.settle_children(locals)
    }

    fn settle_children(&mut self, locals: &BTreeSet<String>) -> usize {
        match &mut self.shape {
            Shape::Literal(_) | Shape::Matcher { .. } | Shape::Form(_) => 0,
            Shape::Json(_, inner) => inner.settle(locals),
            Shape::Array { elements, .. } => {
                let settle = |element: &mut Element| match element {
                    Element::Further => 1,
                    Element::Node(node) => node.settle(locals),
                };
                elements.iter_mut().map(settle).sum()
            }
            Shape::Object { members, further } => {
                let members = members.iter_mut().map(|member| member.value.settle(locals));
                members.sum::<usize>()
                    + further
                        .iter_mut()
                        .map(|node| node.settle(locals))
                        .sum::<usize>()
            }
        }
    }
}

impl Element {
    /// The node, unless this stands for further elements.
    pub(crate) fn node(&self) -> Option<&Node> {
        match self {
            Self::Further => None,
            Self::Node(node) => Some(node),
        }
    }
}
