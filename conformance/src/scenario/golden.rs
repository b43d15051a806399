//! Turns the JSON of a golden body into a pattern: finds the keys and elements with a meaning.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    ast::SourceFile,
    excerpt::Excerpt,
    form::Form,
    held::Held,
    insertion::{Part, Words, split},
    json::{self, Json, Kind},
    matcher::Matcher,
    mistake::Mistake,
    pattern::{Element, Member, Node, Order, Shape},
};

/// How many nodes of a body may take part in a search for captures; it bounds the stack.
const IN_ORDER_LIMIT: usize = 500;

/// The pattern that a JSON value is.
///
/// # Errors
/// Every matcher that is not one, and captures where none can be.
pub(crate) fn read(file: &Arc<SourceFile>, json: &Json) -> Result<Node, Vec<Mistake>> {
    let mut reader = Reader {
        file,
        mistakes: Vec::new(),
    };
    let mut root = reader.node(json);
    let locals = reader.locals(&root);
    let in_order = root.settle(&locals);
    if in_order > IN_ORDER_LIMIT {
        reader.mistakes.push(Mistake::new(
            file,
            json.span.clone(),
            "too many captures and further elements in one body",
        ));
    }
    match reader.mistakes.is_empty() {
        true => Ok(root),
        false => Err(reader.mistakes),
    }
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn node(&mut self, json: &Json) -> Node {
        let shape = match &json.kind {
            Kind::Null => Shape::Literal(Value::Null),
            Kind::Bool(bool) => Shape::Literal((*bool).into()),
            Kind::Number(written) => self.number(json, written),
            Kind::Text(text) => self.or_null(text_shape(text)),
            Kind::Array(elements) => self.array(elements),
            Kind::Object(members) => self.object(members),
        };
        Node {
            shape,
            span: json.span.clone(),
            makes: false,
            in_order: false,
        }
    }

    /// The shape, or a stand-in whose mistake is noted.
    fn or_null(&mut self, shape: Result<Shape, Mistake>) -> Shape {
        shape.unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            Shape::Literal(Value::Null)
        })
    }

    fn number(&mut self, json: &Json, written: &str) -> Shape {
        let number = written.parse::<serde_json::Number>();
        let mistake = |_| Mistake::new(self.file, json.span.clone(), "a number out of range");
        let shape = number
            .map(|number| Shape::Literal(number.into()))
            .map_err(mistake);
        self.or_null(shape)
    }

    fn array(&mut self, elements: &[Json]) -> Shape {
        let (order, elements) = match elements.split_first() {
            Some((first, rest)) if is_word(first, "unordered") => (Order::Free, rest),
            Some((first, rest)) if is_word(first, "each") => {
                self.check_each(first, rest);
                (Order::Each, rest)
            }
            _ => (Order::Given, elements),
        };
        let read = |element: &Json| match is_dots(element) {
            true => Element::Further,
            false => Element::Node(self.node(element)),
        };
        let elements = elements.iter().map(read).collect::<Vec<_>>();
        if order == Order::Each {
            self.check_no_capture(&elements);
        }
        Shape::Array { order, elements }
    }

    fn check_each(&mut self, first: &Json, rest: &[Json]) {
        if rest.len() != 1 || rest.first().is_some_and(is_dots) {
            let mistake = Mistake::new(
                self.file,
                first.span.clone(),
                "{{each}} needs one element behind it",
            );
            self.mistakes
                .push(mistake.expected("expected [\"{{each}}\", M]"));
        }
    }

    fn check_no_capture(&mut self, elements: &[Element]) {
        for node in elements.iter().filter_map(Element::node) {
            node.visit(false, &mut |used| {
                if used.made {
                    let message = format!("{:?} is captured for each element", used.name.text);
                    let mistake = Mistake::new(self.file, used.name.span.clone(), message);
                    self.mistakes
                        .push(mistake.expected("expected no capture in {{each}}"));
                }
            });
        }
    }

    fn object(&mut self, members: &[json::Member]) -> Shape {
        if let [only] = members
            && let Some(held) =
                only_words(&only.key).and_then(|words| Held::named(words.only_name()?))
        {
            return Shape::Json(held, Box::new(self.node(&only.value)));
        }
        let mut read = Vec::new();
        let mut further = None;
        for member in members {
            let value = self.node(&member.value);
            if member.key.text() == "..." {
                self.check_no_capture(&[Element::Node(value.clone())]);
                further = Some(Box::new(value));
            } else {
                read.extend(self.member(&member.key, value));
            }
        }
        self.check_keys(members, &read);
        Shape::Object {
            members: read,
            further,
        }
    }

    fn member(&mut self, key: &Excerpt, value: Node) -> Option<Member> {
        match member_key(key) {
            Ok((key, optional)) => Some(Member {
                key,
                optional,
                value,
            }),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        }
    }

    /// `a` and `{{optional a}}` are the same key.
    fn check_keys(&mut self, written: &[json::Member], read: &[Member]) {
        let mut known = BTreeSet::new();
        for key in read.iter().filter_map(|member| member.key.literal()) {
            if !known.insert(key.clone()) {
                let of_key = |member: &&json::Member| {
                    member.key.text().trim_end_matches("}}").ends_with(&key)
                };
                let span = written
                    .iter()
                    .rfind(of_key)
                    .map_or(0..0, |member| member.key.whole());
                let message = format!("duplicate key {key:?}");
                self.mistakes.push(Mistake::new(self.file, span, message));
            }
        }
    }

    /// The names that the body captures; notes those captured twice or used in a key.
    fn locals(&mut self, root: &Node) -> BTreeSet<String> {
        let mut locals = BTreeSet::new();
        root.visit(false, &mut |used| {
            if used.made && !locals.insert(used.name.text.clone()) {
                let message = format!("{:?} is captured twice in one body", used.name.text);
                self.mistakes
                    .push(Mistake::new(self.file, used.name.span.clone(), message));
            }
        });
        root.visit(false, &mut |used| {
            if used.in_key && locals.contains(&used.name.text) {
                let message = format!(
                    "a key uses {:?}, which the same body captures",
                    used.name.text
                );
                self.mistakes
                    .push(Mistake::new(self.file, used.name.span.clone(), message));
            }
        });
        locals
    }
}

/// The words of a text that is one `{{…}}` and nothing else.
fn only_words(text: &Excerpt) -> Option<Words> {
    match split(text).ok()?.as_slice() {
        [Part::Braces(words)] => Some(words.clone()),
        _ => None,
    }
}

fn is_word(json: &Json, word: &str) -> bool {
    matches!(&json.kind, Kind::Text(text) if only_words(text).is_some_and(|words| words.only_name() == Some(word)))
}

fn is_dots(json: &Json) -> bool {
    matches!(&json.kind, Kind::Text(text) if only_words(text).is_some_and(|words| words.is_dots()))
}

fn text_shape(text: &Excerpt) -> Result<Shape, Mistake> {
    let parts = split(text)?;
    if let [Part::Braces(words)] = parts.as_slice()
        && !words.starts_with("repeat")
    {
        let matcher = Matcher::read(words.clone(), text)?;
        let written = text.text().to_owned();
        return Ok(Shape::Matcher { matcher, written });
    }
    let form = Form::read(parts, text, false)?;
    match form.literal() {
        Some(literal) => Ok(Shape::Literal(literal.into())),
        None => Ok(Shape::Form(form)),
    }
}

/// The key of a member, and whether the member is optional.
fn member_key(key: &Excerpt) -> Result<(Form, bool), Mistake> {
    match optional_key(key.text()) {
        Some(name) => {
            let start = key.text().find(name).unwrap_or_default();
            let inner = Excerpt::of(key.file(), key.span(start..start + name.len()));
            let parts = vec![Part::Text(name.to_owned())];
            Form::read(parts, &inner, true).map(|form| (form, true))
        }
        None => {
            let form = Form::read(split(key)?, key, true)?;
            Ok((form, false))
        }
    }
}

/// `K` of `{{optional K}}`.
fn optional_key(key: &str) -> Option<&str> {
    let inner = key.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let name = inner.strip_prefix("optional")?;
    let named = name.starts_with([' ', '\t']) && !name.contains("}}");
    named.then(|| name.trim())
}
