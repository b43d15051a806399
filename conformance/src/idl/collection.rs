//! The interface definitions that a run knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    DefinitionError, Departure, Field, Interface, Kind,
    check::{Walk, departure, shown},
};

const BUILT_IN: [&str; 2] = [
    include_str!("../../../fixtures/org.varlink.service.varlink"),
    include_str!("../../../fixtures/io.projectatomic.podman.varlink"),
];

const SERVICE: &str = "org.varlink.service";

/// Interfaces by name.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    interfaces: BTreeMap<String, Interface>,
}

impl Definitions {
    /// `org.varlink.service` and `io.projectatomic.podman`.
    ///
    /// # Errors
    /// The built-in text is broken.
    pub fn built_in() -> Result<Self, DefinitionError> {
        let mut definitions = Self::default();
        for text in BUILT_IN {
            definitions.add(text)?;
        }
        Ok(definitions)
    }

    /// Adds an interface, in the place of one of the same name.
    ///
    /// # Errors
    /// The text is not an interface definition.
    pub fn add(&mut self, text: &str) -> Result<(), DefinitionError> {
        let interface = Interface::parse(text)?;
        self.interfaces.insert(interface.name.clone(), interface);
        Ok(())
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.interfaces.keys().map(String::as_str)
    }

    /// The interface of this name.
    pub fn get(&self, name: &str) -> Option<&Interface> {
        self.interfaces.get(name)
    }

    /// How a whole reply message to `method` (a full name) departs from the definition. Calls of
    /// methods that no known interface has are only held to the form of a reply.
    pub fn check(&self, method: &str, message: &Value) -> Vec<Departure> {
        let Some(message) = message.as_object() else {
            return vec![departure(
                Kind::WrongType,
                method,
                "a reply",
                "is not a JSON object",
            )];
        };
        let mut found = check_form(method, message);
        let empty = Map::new();
        let parameters = match message.get("parameters") {
            Some(Value::Object(parameters)) => parameters,
            None | Some(Value::Null) => &empty,
            // Said already by the check of the form.
            Some(_) => return found,
        };
        match message.get("error") {
            None | Some(Value::Null) => self.check_success(method, parameters, &mut found),
            Some(Value::String(error)) => self.check_error(method, error, parameters, &mut found),
            Some(_) => {}
        }
        found
    }

    fn check_success(&self, method: &str, actual: &Map<String, Value>, found: &mut Vec<Departure>) {
        let Some((interface, short)) = self.split(method) else {
            return;
        };
        if let Some(definition) = interface.methods.get(short) {
            walk(interface, short, &definition.output, actual, found);
        }
    }

    fn check_error(
        &self,
        method: &str,
        error: &str,
        actual: &Map<String, Value>,
        found: &mut Vec<Departure>,
    ) {
        let declared = self.split(error).and_then(|(interface, short)| {
            let fields = interface.errors.get(short)?;
            Some((interface, short, fields))
        });
        let home = self.split(method).map(|(interface, _)| interface);
        match declared {
            Some((interface, short, fields))
                if interface.name == SERVICE || home.is_none_or(|home| home == interface) =>
            {
                walk(interface, short, fields, actual, found);
            }
            _ if home.is_none() => {}
            _ => found.push(departure(
                Kind::UndeclaredError,
                short_name(method),
                &format!("the error {error}"),
                "is declared neither by the method's interface nor by org.varlink.service",
            )),
        }
    }

    fn split<'n>(&self, full: &'n str) -> Option<(&Interface, &'n str)> {
        let (interface, short) = full.rsplit_once('.')?;
        Some((self.interfaces.get(interface)?, short))
    }
}

fn walk(
    interface: &Interface,
    short: &str,
    fields: &[Field],
    actual: &Map<String, Value>,
    found: &mut Vec<Departure>,
) {
    let mut walk = Walk::new(interface, short);
    walk.members(fields, actual);
    found.append(&mut walk.found);
}

/// A member of a reply message, what it must be, and whether it is.
type Rule = (&'static str, &'static str, fn(&Value) -> bool);

// null stands for an absent member in every implementation that is known.
const FORM: [Rule; 3] = [
    ("parameters", "an object", |value| {
        value.is_object() || value.is_null()
    }),
    ("error", "a string", |value| {
        value.is_string() || value.is_null()
    }),
    ("continues", "a bool", |value| {
        value.is_boolean() || value.is_null()
    }),
];

fn check_form(method: &str, message: &Map<String, Value>) -> Vec<Departure> {
    let wrong = |(member, expected, is_right): Rule| {
        let actual = message.get(member).filter(|actual| !is_right(actual))?;
        let what = format!("the reply's {member:?}");
        let how = format!("is {}, expected {expected}", shown(actual));
        Some(departure(Kind::WrongType, short_name(method), &what, &how))
    };
    FORM.into_iter().filter_map(wrong).collect()
}

fn short_name(method: &str) -> &str {
    method.rsplit_once('.').map_or(method, |(_, short)| short)
}
