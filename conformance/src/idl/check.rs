//! A value against a type: what is missing, wrong, null or not in the definition.

use serde_json::{Map, Value};

use super::{Field, Interface, Type};

/// How a reply departs from the interface definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A member that is not optional is absent.
    MissingMember,
    /// A value has another type than the definition says; `null` where no collection is expected too.
    WrongType,
    /// A member that the definition does not have.
    UnknownMember,
    /// An error that neither the method's interface nor `org.varlink.service` declares.
    UndeclaredError,
    /// `null` where an array or a map is expected.
    NullCollection,
}

/// One departure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Its kind.
    pub kind: Kind,
    /// The member's place, without indexes and keys: `ListContainers.containers[].ports`.
    pub place: String,
    /// A line that stands alone.
    pub message: String,
}

impl Departure {
    /// The requirement of SPEC.md that it breaks.
    pub fn requirement(&self) -> &'static str {
        match self.kind {
            Kind::MissingMember | Kind::WrongType => "Reply-1",
            Kind::NullCollection => "Reply-2",
            Kind::UnknownMember => "Reply-3",
            Kind::UndeclaredError => "Reply-4",
        }
    }

    /// Whether the scenario in which it occurred fails; the others are collected over the whole run.
    pub fn is_fatal(&self) -> bool {
        !matches!(self.kind, Kind::NullCollection | Kind::UnknownMember)
    }
}

pub(super) fn departure(kind: Kind, place: &str, what: &str, how: &str) -> Departure {
    Departure {
        kind,
        place: place.to_owned(),
        message: format!("{what} {how}"),
    }
}

/// A walk over a reply's parameters, side by side with their definition.
pub(super) struct Walk<'a> {
    interface: &'a Interface,
    // What people read, indexes and keys included.
    path: Vec<String>,
    // What counts, without them.
    place: Vec<String>,
    pub(super) found: Vec<Departure>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(interface: &'a Interface, root: &str) -> Self {
        Self {
            interface,
            path: Vec::new(),
            place: vec![root.to_owned()],
            found: Vec::new(),
        }
    }

    pub(super) fn members(&mut self, fields: &[Field], actual: &Map<String, Value>) {
        for field in fields {
            self.enter(&field.name, |walk| match actual.get(&field.name) {
                Some(value) => walk.value(&field.kind, value),
                None if matches!(field.kind, Type::Maybe(_)) => {}
                None => walk.report(Kind::MissingMember, "is missing"),
            });
        }
        for name in actual.keys() {
            if !fields.iter().any(|field| field.name == *name) {
                let how = "is not in the interface definition";
                self.enter(name, |walk| walk.report(Kind::UnknownMember, how));
            }
        }
    }

    fn value(&mut self, kind: &Type, actual: &Value) {
        match (kind, actual) {
            (Type::Maybe(_), Value::Null) | (Type::Object, _) => {}
            (Type::Maybe(inner), actual) => self.value(inner, actual),
            (Type::Named(name), actual) => {
                if let Some(definition) = self.interface.types.get(name) {
                    self.value(definition, actual);
                }
            }
            (Type::Array(_), Value::Null) => {
                self.report(Kind::NullCollection, "is null, expected an array");
            }
            (Type::Map(_), Value::Null) => {
                self.report(Kind::NullCollection, "is null, expected a map");
            }
            (Type::Array(inner), Value::Array(elements)) => self.elements(inner, elements),
            (Type::Map(inner), Value::Object(members)) => self.entries(inner, members),
            (Type::Struct(fields), Value::Object(members)) => self.members(fields, members),
            (kind, actual) if fits(kind, actual) => {}
            (kind, actual) => {
                let how = format!("is {}, expected {}", shown(actual), describe(kind));
                self.report(Kind::WrongType, &how);
            }
        }
    }

    fn elements(&mut self, kind: &Type, elements: &[Value]) {
        for (index, element) in elements.iter().enumerate() {
            self.step(format!("[{index}]"), "[]".to_owned(), |walk| {
                walk.value(kind, element);
            });
        }
    }

    fn entries(&mut self, kind: &Type, members: &Map<String, Value>) {
        for (key, member) in members {
            self.step(format!("[{key:?}]"), "[*]".to_owned(), |walk| {
                walk.value(kind, member);
            });
        }
    }

    fn enter(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        let first = self.path.is_empty();
        let path = if first {
            name.to_owned()
        } else {
            format!(".{name}")
        };
        self.step(path, format!(".{name}"), inside);
    }

    fn step(&mut self, path: String, place: String, inside: impl FnOnce(&mut Self)) {
        self.path.push(path);
        self.place.push(place);
        inside(self);
        self.path.pop();
        self.place.pop();
    }

    fn report(&mut self, kind: Kind, how: &str) {
        let what = format!("member {:?}", self.path.concat().replace('"', "'"));
        self.found
            .push(departure(kind, &self.place.concat(), &what, how));
    }
}

fn fits(kind: &Type, actual: &Value) -> bool {
    match (kind, actual) {
        (Type::Bool, Value::Bool(_)) | (Type::String, Value::String(_)) => true,
        // 5.0 and 1e3 are floats to most JSON decoders, so they are not accepted for an int.
        (Type::Int, Value::Number(number)) => number.is_i64(),
        (Type::Float, Value::Number(_)) => true,
        (Type::Enum(names), Value::String(text)) => names.contains(text),
        _ => false,
    }
}

fn describe(kind: &Type) -> String {
    match kind {
        Type::Bool => "a bool".to_owned(),
        Type::Int => "an int (64 bits, without fraction or exponent)".to_owned(),
        Type::Float => "a float".to_owned(),
        Type::String => "a string".to_owned(),
        Type::Object => "an object".to_owned(),
        Type::Named(name) => name.clone(),
        Type::Struct(_) => "an object".to_owned(),
        Type::Enum(names) => format!("one of {}", names.join(", ")),
        Type::Array(_) => "an array".to_owned(),
        Type::Map(_) => "a map".to_owned(),
        Type::Maybe(inner) => describe(inner),
    }
}

/// A value for a message: its type, and the value itself if it is short.
pub(super) fn shown(value: &Value) -> String {
    const SHORT: usize = 40;
    let text = value.to_string();
    let kind = match value {
        Value::Null => return text,
        Value::Bool(_) => "the bool",
        Value::Number(_) => "the number",
        Value::String(_) => "the string",
        Value::Array(_) => "the array",
        Value::Object(_) => "the object",
    };
    if text.chars().count() <= SHORT {
        return format!("{kind} {text}");
    }
    let cut: String = text.chars().take(SHORT).collect();
    format!("{kind} {cut}…")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::Definitions;
    use super::*;

    const INTERFACE: &str = "interface org.example.test
type Point (x: int, y: ?float)
type Color (red, green)
method Get() -> (point: Point, color: Color, list: []Point, map: [string][]string, any: object)
method Nothing() -> ()
error Broken (why: string)
";

    fn check(method: &str, message: &Value) -> Vec<(Kind, String, String)> {
        let mut definitions = Definitions::built_in().unwrap();
        definitions.add(INTERFACE).unwrap();
        let found = definitions.check(method, message);
        found
            .into_iter()
            .map(|one| (one.kind, one.place, one.message))
            .collect()
    }

    fn get(change: impl FnOnce(&mut Value)) -> Vec<(Kind, String, String)> {
        let mut parameters = json!({
            "point": {"x": 1, "y": 2}, "color": "red", "list": [{"x": 1, "y": null}],
            "map": {"k": ["v"]}, "any": [1, null],
        });
        change(&mut parameters);
        check("org.example.test.Get", &json!({"parameters": parameters}))
    }

    #[test]
    fn a_reply_that_keeps_to_the_definition_has_no_departure() {
        assert_eq!(get(|_| {}), []);
        assert_eq!(check("org.example.test.Nothing", &json!({})), []);
        assert_eq!(
            check("org.example.test.Nothing", &json!({"parameters": null})),
            []
        );
        assert_eq!(
            check("org.unknown.Method", &json!({"parameters": {"x": 1}})),
            []
        );
    }

    #[rstest]
    #[case(json!({"x": "1"}), Kind::WrongType, "Get.point.x")]
    #[case(json!({"x": 5.0}), Kind::WrongType, "Get.point.x")]
    #[case(json!({"x": 1e3}), Kind::WrongType, "Get.point.x")]
    #[case(json!({"x": 9_223_372_036_854_775_808_u64}), Kind::WrongType, "Get.point.x")]
    #[case(json!({"x": null}), Kind::WrongType, "Get.point.x")]
    #[case(json!({"x": 1, "y": "2"}), Kind::WrongType, "Get.point.y")]
    #[case(json!({}), Kind::MissingMember, "Get.point.x")]
    #[case(json!(null), Kind::WrongType, "Get.point")]
    #[case(json!([]), Kind::WrongType, "Get.point")]
    #[case(json!({"x": 1, "z": 1}), Kind::UnknownMember, "Get.point.z")]
    fn a_struct_is_checked_member_by_member(
        #[case] point: Value,
        #[case] kind: Kind,
        #[case] place: &str,
    ) {
        let found = get(|parameters| parameters["point"] = point);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1.as_str()), (kind, place));
    }

    #[rstest]
    #[case("list", json!(null), Kind::NullCollection, "Get.list", "member \"list\" is null, expected an array")]
    #[case("map", json!(null), Kind::NullCollection, "Get.map", "member \"map\" is null, expected a map")]
    #[case("map", json!({"k": null}), Kind::NullCollection, "Get.map[*]", "member \"map['k']\" is null, expected an array")]
    #[case("map", json!([]), Kind::WrongType, "Get.map", "member \"map\" is the array [], expected a map")]
    #[case("list", json!([{"x": 1}, {"x": true}]), Kind::WrongType, "Get.list[].x",
        "member \"list[1].x\" is the bool true, expected an int (64 bits, without fraction or exponent)")]
    #[case("color", json!("blue"), Kind::WrongType, "Get.color", "member \"color\" is the string \"blue\", expected one of red, green")]
    fn collections_and_enums_are_checked(
        #[case] member: &str,
        #[case] value: Value,
        #[case] kind: Kind,
        #[case] place: &str,
        #[case] message: &str,
    ) {
        let found = get(|parameters| parameters[member] = value);
        assert_eq!(found, [(kind, place.to_owned(), message.to_owned())]);
    }

    #[rstest]
    #[case(json!({"error": "org.example.test.Broken", "parameters": {"why": "x"}}), None)]
    #[case(json!({"error": "org.varlink.service.MethodNotFound", "parameters": {"method": "x"}}), None)]
    #[case(json!({"error": "org.example.test.Broken"}), Some(Kind::MissingMember))]
    #[case(json!({"error": "org.example.test.Other"}), Some(Kind::UndeclaredError))]
    #[case(json!({"error": "io.projectatomic.podman.ErrorOccurred", "parameters": {"reason": ""}}), Some(Kind::UndeclaredError))]
    #[case(json!({"error": 5}), Some(Kind::WrongType))]
    #[case(json!({"parameters": []}), Some(Kind::WrongType))]
    #[case(json!({"continues": "yes"}), Some(Kind::WrongType))]
    #[case(json!([]), Some(Kind::WrongType))]
    fn errors_and_the_form_of_a_reply_are_checked(
        #[case] message: Value,
        #[case] kind: Option<Kind>,
    ) {
        let found = check("org.example.test.Nothing", &message);
        assert_eq!(found.first().map(|one| one.0), kind, "{found:?}");
    }
}
