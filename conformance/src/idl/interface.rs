//! An interface definition as an owned tree, parsed by the `varlink_parser` crate.

use std::collections::BTreeMap;

use varlink_parser::{IDL, VEnum, VStruct, VStructOrEnum, VType, VTypeExt};

/// A varlink interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// Its name, such as `org.varlink.service`.
    pub name: String,
    /// Named types.
    pub types: BTreeMap<String, Type>,
    /// Methods by short name.
    pub methods: BTreeMap<String, Method>,
    /// Parameters of errors by short name.
    pub errors: BTreeMap<String, Vec<Field>>,
}

/// A method.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its parameters.
    pub input: Vec<Field>,
    /// The parameters of its reply.
    pub output: Vec<Field>,
}

/// A member of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `string`
    String,
    /// `object`: any JSON value
    Object,
    /// A type of the same interface.
    Named(String),
    /// `(member: type, …)`
    Struct(Vec<Field>),
    /// `(one, other, …)`
    Enum(Vec<String>),
    /// `[]type`
    Array(Box<Type>),
    /// `[string]type`
    Map(Box<Type>),
    /// `?type`
    Maybe(Box<Type>),
}

/// Why a text is not an interface definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// It does not parse.
    #[error("not a varlink interface definition: {0}")]
    Syntax(String),
    /// A name stands for no type.
    #[error("the interface {interface} names a type {name} that it does not define")]
    UnknownType {
        /// The interface.
        interface: String,
        /// The type.
        name: String,
    },
}

/// How deep types may nest: the parser goes as deep as a text does, and some texts come from services.
const DEEPEST: usize = 32;

impl Interface {
    /// Parses a definition.
    ///
    /// # Errors
    /// The text is not a definition, nests deeper than 32 types, defines a name twice or uses a type that it does not define.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        if depth(text) > DEEPEST {
            let reason = format!("its types nest deeper than {DEEPEST}");
            return Err(DefinitionError::Syntax(reason));
        }
        let idl =
            IDL::try_from(text).map_err(|error| DefinitionError::Syntax(error.to_string()))?;
        let interface = Self {
            name: idl.name.to_owned(),
            types: idl
                .typedefs
                .values()
                .map(|def| (def.name.to_owned(), defined(&def.elt)))
                .collect(),
            methods: idl
                .methods
                .values()
                .map(|def| (def.name.to_owned(), method(def)))
                .collect(),
            errors: idl
                .errors
                .values()
                .map(|def| (def.name.to_owned(), fields(&def.parm)))
                .collect(),
        };
        match interface.undefined_type() {
            Some(name) => Err(DefinitionError::UnknownType {
                interface: interface.name,
                name,
            }),
            None => Ok(interface),
        }
    }

    fn undefined_type(&self) -> Option<String> {
        let members = self
            .methods
            .values()
            .flat_map(|method| method.input.iter().chain(&method.output))
            .chain(self.errors.values().flatten())
            .map(|field| &field.kind);
        let mut todo: Vec<&Type> = members.chain(self.types.values()).collect();
        while let Some(next) = todo.pop() {
            match next {
                Type::Named(name) if !self.types.contains_key(name) => return Some(name.clone()),
                Type::Struct(fields) => todo.extend(fields.iter().map(|field| &field.kind)),
                Type::Array(inner) | Type::Map(inner) | Type::Maybe(inner) => todo.push(inner),
                _ => {}
            }
        }
        None
    }
}

/// How deep types nest: each bracket, and each mark before a type, is one within another.
fn depth(text: &str) -> usize {
    let (mut open, mut marks, mut deepest) = (0_usize, 0_usize, 0_usize);
    let code = text.lines().filter_map(|line| line.split('#').next());
    for c in code.flat_map(str::chars) {
        match c {
            '(' => open += 1,
            ')' => open = open.saturating_sub(1),
            '[' | '?' => marks += 1,
            _ => {}
        }
        if matches!(c, ')' | ',' | ':' | '>') {
            marks = 0;
        }
        deepest = deepest.max(open + marks);
    }
    deepest
}

fn method(method: &varlink_parser::Method<'_>) -> Method {
    Method {
        input: fields(&method.input),
        output: fields(&method.output),
    }
}

fn fields(structure: &VStruct<'_>) -> Vec<Field> {
    let field = |argument: &varlink_parser::Argument<'_>| Field {
        name: argument.name.to_owned(),
        kind: extended(&argument.vtype),
    };
    structure.elts.iter().map(field).collect()
}

fn names(list: &VEnum<'_>) -> Type {
    Type::Enum(list.elts.iter().map(|name| (*name).to_owned()).collect())
}

fn defined(definition: &VStructOrEnum<'_>) -> Type {
    match definition {
        VStructOrEnum::VStruct(structure) => Type::Struct(fields(structure)),
        VStructOrEnum::VEnum(list) => names(list),
    }
}

fn extended(kind: &VTypeExt<'_>) -> Type {
    match kind {
        VTypeExt::Array(inner) => Type::Array(Box::new(extended(inner))),
        VTypeExt::Dict(inner) => Type::Map(Box::new(extended(inner))),
        VTypeExt::Option(inner) => Type::Maybe(Box::new(extended(inner))),
        VTypeExt::Plain(plain) => match plain {
            VType::Bool => Type::Bool,
            VType::Int => Type::Int,
            VType::Float => Type::Float,
            VType::String => Type::String,
            VType::Object => Type::Object,
            VType::Typename(name) => Type::Named((*name).to_owned()),
            VType::Struct(structure) => Type::Struct(fields(structure)),
            VType::Enum(list) => names(list),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_definitions_parse() {
        let podman = Interface::parse(include_str!(
            "../../../fixtures/io.projectatomic.podman.varlink"
        ))
        .unwrap();
        assert_eq!(
            (
                podman.methods.len(),
                podman.types.len(),
                podman.errors.len()
            ),
            (40, 22, 4)
        );
        let service = Interface::parse(include_str!(
            "../../../fixtures/org.varlink.service.varlink"
        ))
        .unwrap();
        assert_eq!(service.methods.len(), 2);
    }

    #[test]
    fn a_type_that_is_not_defined_is_refused() {
        let text = "interface a.b\ntype T (x: []?Nope)\nmethod M() -> ()\n";
        let error = Interface::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the interface a.b names a type Nope that it does not define"
        );
    }

    #[test]
    fn a_text_that_is_no_definition_is_refused() {
        assert!(matches!(
            Interface::parse("interface"),
            Err(DefinitionError::Syntax(_))
        ));
    }

    #[test]
    fn types_nest_only_so_deep() {
        let arrays =
            |depth: usize| format!("interface a.b\ntype T (x: {}int)\n", "[]".repeat(depth));
        let structs = |depth: usize| {
            let (open, close) = ("(x: ".repeat(depth), ")".repeat(depth));
            format!("interface a.b\ntype T {open}int{close}\n")
        };
        assert!(Interface::parse(&arrays(30)).is_ok());
        assert!(Interface::parse(&structs(30)).is_ok());
        for text in [arrays(1_000_000), structs(1_000_000), "?".repeat(1_000_000)] {
            let error = Interface::parse(&text).unwrap_err();
            assert!(error.to_string().ends_with("its types nest deeper than 32"));
        }
    }
}
