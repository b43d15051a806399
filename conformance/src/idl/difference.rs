//! How one definition of an interface departs from another; order and comments make no difference.

use std::{collections::BTreeMap, fmt};

use super::{Field, Interface, Type};

impl Interface {
    /// What of this definition another one lacks or has in another way, and what it has besides; each a line that stands alone.
    pub fn departures(&self, other: &Self) -> Departures {
        let mut found = Departures::default();
        if self.name != other.name {
            found
                .lacking
                .push(format!("it defines {}, expected {}", other.name, self.name));
            return found;
        }
        found.compare("method", &self.methods, &other.methods, |method, theirs| {
            let input = members(&method.input, &theirs.input, "parameter");
            let output = members(&method.output, &theirs.output, "output");
            [input, output].concat()
        });
        found.compare("type", &self.types, &other.types, |kind, theirs| {
            match (kind, theirs) {
                (Type::Struct(ours), Type::Struct(theirs)) => members(ours, theirs, "member"),
                _ if is_same(kind, theirs) => Vec::new(),
                _ => vec![format!("is {theirs}, expected {kind}")],
            }
        });
        found.compare("error", &self.errors, &other.errors, |ours, theirs| {
            members(ours, theirs, "member")
        });
        found
    }
}

/// How a definition departs from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Departures {
    /// What it lacks, or has in another way.
    pub lacking: Vec<String>,
    /// The methods, types and errors that it has besides.
    pub further: Vec<String>,
}

impl Departures {
    fn compare<T>(
        &mut self,
        what: &str,
        ours: &BTreeMap<String, T>,
        theirs: &BTreeMap<String, T>,
        differences: impl Fn(&T, &T) -> Vec<String>,
    ) {
        for (name, one) in ours {
            match theirs.get(name) {
                None => self.lacking.push(format!("{what} {name} is missing")),
                Some(other) => {
                    let found = differences(one, other).into_iter();
                    self.lacking
                        .extend(found.map(|how| format!("{what} {name}: {how}")));
                }
            }
        }
        let besides = theirs.keys().filter(|name| !ours.contains_key(*name));
        self.further
            .extend(besides.map(|name| format!("{what} {name} is not expected")));
    }
}

fn members(ours: &[Field], theirs: &[Field], what: &str) -> Vec<String> {
    let named = |fields: &'_ [Field], name: &str| {
        let field = fields.iter().find(|field| field.name == name);
        field.map(|field| field.kind.clone())
    };
    let mut found = Vec::new();
    for Field { name, kind } in ours {
        match named(theirs, name) {
            None => found.push(format!("{what} {name} is missing")),
            Some(other) if !is_same(kind, &other) => {
                found.push(format!("{what} {name} is {other}, expected {kind}"));
            }
            Some(_) => {}
        }
    }
    for Field { name, .. } in theirs {
        if named(ours, name).is_none() {
            found.push(format!("{what} {name} is not expected"));
        }
    }
    found
}

/// Whether two types are the same, whatever the order of members.
fn is_same(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Struct(ours), Type::Struct(theirs)) => members(ours, theirs, "").is_empty(),
        (Type::Enum(ours), Type::Enum(theirs)) => {
            ours.len() == theirs.len() && ours.iter().all(|name| theirs.contains(name))
        }
        (Type::Array(one), Type::Array(other))
        | (Type::Map(one), Type::Map(other))
        | (Type::Maybe(one), Type::Maybe(other)) => is_same(one, other),
        _ => one == other,
    }
}

/// As definitions have it, on one line.
impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => out.write_str("bool"),
            Self::Int => out.write_str("int"),
            Self::Float => out.write_str("float"),
            Self::String => out.write_str("string"),
            Self::Object => out.write_str("object"),
            Self::Named(name) => out.write_str(name),
            Self::Struct(fields) => {
                let fields = fields
                    .iter()
                    .map(|Field { name, kind }| format!("{name}: {kind}"));
                write!(out, "({})", fields.collect::<Vec<_>>().join(", "))
            }
            Self::Enum(names) => write!(out, "({})", names.join(", ")),
            Self::Array(inner) => write!(out, "[]{inner}"),
            Self::Map(inner) => write!(out, "[string]{inner}"),
            Self::Maybe(inner) => write!(out, "?{inner}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OURS: &str = "interface a.b\ntype T (x: int, y: ?[]string, z: (one, two))\ntype E (one, two)\n\
        method M(t: T) -> (m: [string]T, s: (a: int, b: bool))\nerror Bad (why: string)\n";

    fn departures(theirs: &str) -> Departures {
        let parse = |text| Interface::parse(text).unwrap();
        parse(OURS).departures(&parse(theirs))
    }

    #[test]
    fn order_and_comments_are_free() {
        let theirs = "# of theirs\ninterface a.b\nerror Bad (why: string)\n# more\n\
            method M(t: T) -> (s: (b: bool, a: int), m: [string]T)\n\
            type E (two, one)\ntype T (z: (two, one), y: ?[]string, x: int)\n";
        assert_eq!(departures(theirs), Departures::default());
    }

    #[rstest]
    #[case("(x: int,", "(x: float,", "type T: member x is float, expected int")]
    #[case("(x: int,", "(", "type T: member x is missing")]
    #[case("(x: int,", "(x: int, w: int,", "type T: member w is not expected")]
    #[case(
        "?[]string",
        "[]string",
        "type T: member y is []string, expected ?[]string"
    )]
    #[case(
        "z: (one, two)",
        "z: (one, too)",
        "type T: member z is (one, too), expected (one, two)"
    )]
    #[case(
        "type E (one, two)",
        "type E (one: int)",
        "type E: is (one: int), expected (one, two)"
    )]
    #[case("type E (one, two)\n", "", "type E is missing")]
    #[case("M(t: T)", "M(u: T)", "method M: parameter t is missing")]
    #[case(
        "m: [string]T",
        "m: []T",
        "method M: output m is []T, expected [string]T"
    )]
    #[case(
        "b: bool",
        "b: int",
        "method M: output s is (a: int, b: int), expected (a: int, b: bool)"
    )]
    #[case("method M", "method N", "method M is missing")]
    #[case("why: string", "", "error Bad: member why is missing")]
    #[case("interface a.b", "interface a.c", "it defines a.c, expected a.b")]
    fn what_is_lacking_is_told(#[case] ours: &str, #[case] theirs: &str, #[case] told: &str) {
        let found = departures(&OURS.replace(ours, theirs));
        assert_eq!(found.lacking.first().map(String::as_str), Some(told));
    }

    #[test]
    fn so_is_what_comes_besides() {
        let theirs = format!("{OURS}method N() -> ()\ntype U ()\nerror Worse ()\n");
        let found = departures(&theirs);
        let wanted =
            ["method N", "type U", "error Worse"].map(|one| format!("{one} is not expected"));
        assert_eq!(
            (found.lacking, found.further),
            (Vec::new(), wanted.to_vec())
        );
    }
}
