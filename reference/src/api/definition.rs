//! Reads parameters by the interface definition, so that a wrong one is refused by its name before any code sees it.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use varlink_parser::{Argument, IDL, VStruct, VStructOrEnum, VType, VTypeExt};

/// The most values that the parameters of one call may hold: each costs tens of bytes, whatever its length in the text.
pub const PARAMETER_VALUES: usize = 65_536;
/// The most bytes of JSON that the parameters of one call may have, not counting those that the method does not define: they are
/// copied several times. A program takes at most this much of arguments and environment.
pub const PARAMETER_BYTES: usize = 2 * 1024 * 1024;

/// An interface definition.
pub(crate) struct Definition {
    text: &'static str,
    idl: IDL<'static>,
}

/// The name of the parameter, or of the member of a parameter, that is at fault.
pub(crate) type Offender = String;

impl Definition {
    /// # Errors
    /// When the text is not a varlink interface definition.
    pub(crate) fn parse(text: &'static str) -> Result<Self, varlink_parser::Error> {
        Ok(Self {
            text,
            idl: IDL::try_from(text)?,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.idl.name
    }

    pub(crate) fn text(&self) -> &'static str {
        self.text
    }

    /// Whether it has a method of this name (without the interface's).
    pub(crate) fn has_method(&self, name: &str) -> bool {
        self.idl.methods.contains_key(name)
    }

    /// Reads the parameters of a method: members that it does not define and members that are null are left out.
    pub(crate) fn read_parameters(&self, method: &str, text: &str) -> Result<Value, Offender> {
        let Some(method) = self.idl.methods.get(method) else {
            return Ok(Value::Null);
        };
        let reading = Reading::new(&self.idl);
        let parameters = Parameters(Members {
            reading: &reading,
            members: &method.input,
        });
        let mut source = serde_json::Deserializer::from_str(text);
        source.deserialize_map(parameters).map_err(|_| {
            reading
                .offender
                .take()
                .unwrap_or_else(|| "parameters".to_owned())
        })
    }
}

/// What one reading carries along.
struct Reading<'d> {
    idl: &'d IDL<'static>,
    values_left: Cell<usize>,
    bytes_left: Cell<usize>,
    offender: RefCell<Option<Offender>>,
}

impl<'d> Reading<'d> {
    fn new(idl: &'d IDL<'static>) -> Self {
        Self {
            idl,
            values_left: Cell::new(PARAMETER_VALUES),
            bytes_left: Cell::new(PARAMETER_BYTES),
            offender: RefCell::new(None),
        }
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        let left = self.values_left.get().checked_sub(1);
        self.values_left
            .set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }

    fn count_bytes<E: Error>(&self, text: &str) -> Result<(), E> {
        let left = self.bytes_left.get().checked_sub(text.len());
        self.bytes_left
            .set(left.ok_or_else(|| E::custom("too long"))?);
        Ok(())
    }

    /// The innermost member is told first, and stays.
    fn blame(&self, name: &str) {
        self.offender
            .borrow_mut()
            .get_or_insert_with(|| name.to_owned());
    }
}

/// The parameters of a method: each is read once its length is known, so that nothing is copied of what is too long.
struct Parameters<'d>(Members<'d>);

impl<'de> Visitor<'de> for Parameters<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Self(members) = self;
        let mut read = Map::new();
        while let Some(member) = map.next_key_seed(Named(members.members))? {
            let Some(member) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let text = map.next_value::<&RawValue>()?.get();
            let value = members
                .reading
                .count_bytes(text)
                .and_then(|()| {
                    members
                        .value(member)
                        .deserialize(&mut serde_json::Deserializer::from_str(text))
                })
                .map_err(|error| {
                    members.reading.blame(member.name);
                    A::Error::custom(error)
                })?;
            keep(&mut read, member.name, value);
        }
        Ok(Value::Object(read))
    }
}

/// Of two members of one name the last counts; null is absent.
fn keep(read: &mut Map<String, Value>, name: &str, value: Value) {
    match value {
        Value::Null => read.remove(name),
        value => read.insert(name.to_owned(), value),
    };
}

/// The member that a name means, found without a copy of the name.
struct Named<'d>(&'d VStruct<'static>);

impl<'de, 'd> DeserializeSeed<'de> for Named<'d> {
    type Value = Option<&'d Argument<'static>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'d> Visitor<'_> for Named<'d> {
    type Value = Option<&'d Argument<'static>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.elts.iter().find(|member| member.name == name))
    }
}

/// The members of a structure.
#[derive(Clone, Copy)]
struct Members<'d> {
    reading: &'d Reading<'d>,
    members: &'d VStruct<'static>,
}

/// A value of a type of the definition.
#[derive(Clone, Copy)]
struct Typed<'d> {
    reading: &'d Reading<'d>,
    vtype: &'d VTypeExt<'static>,
    /// Null stands for an absent value: members of a structure only.
    nullable: bool,
}

impl<'d> Members<'d> {
    fn value(self, member: &'d Argument<'static>) -> Typed<'d> {
        Typed {
            reading: self.reading,
            vtype: &member.vtype,
            nullable: true,
        }
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(member) = map.next_key_seed(Named(self.members))? {
            let Some(member) = member else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map
                .next_value_seed(self.value(member))
                .inspect_err(|_| self.reading.blame(member.name))?;
            keep(&mut read, member.name, value);
        }
        Ok(Value::Object(read))
    }
}

impl<'d> Typed<'d> {
    fn of(self, vtype: &'d VTypeExt<'static>) -> Self {
        Self {
            vtype,
            nullable: matches!(vtype, VTypeExt::Option(_)),
            ..self
        }
    }

    /// The members, if the type is a structure.
    fn members(self) -> Option<Members<'d>> {
        let members = match self.vtype {
            VTypeExt::Plain(VType::Struct(members)) => members,
            VTypeExt::Plain(VType::Typename(name)) => {
                match &self.reading.idl.typedefs.get(name)?.elt {
                    VStructOrEnum::VStruct(members) => members,
                    VStructOrEnum::VEnum(_) => return None,
                }
            }
            _ => return None,
        };
        Some(Members {
            reading: self.reading,
            members,
        })
    }

    fn expects(self, vtype: fn(&VType<'static>) -> bool) -> bool {
        matches!(self.vtype, VTypeExt::Plain(plain) if vtype(plain))
    }

    fn wrong<E: Error>(self) -> E {
        E::custom("of another type")
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.reading.count()?;
        match self.vtype {
            VTypeExt::Option(inner) => Typed {
                vtype: inner,
                nullable: true,
                ..self
            }
            .deserialize(deserializer),
            VTypeExt::Plain(VType::Object) => serde::Deserialize::deserialize(deserializer),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of the defined type")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        if self.expects(|vtype| matches!(vtype, VType::Bool)) {
            return Ok(value.into());
        }
        Err(self.wrong())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if self.expects(|vtype| matches!(vtype, VType::Int | VType::Float)) {
            return Ok(value.into());
        }
        Err(self.wrong())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) if self.expects(|vtype| matches!(vtype, VType::Float)) => Ok(value.into()),
            Err(_) => Err(self.wrong()),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if self.expects(|vtype| matches!(vtype, VType::Float)) {
            return Ok(value.into());
        }
        Err(self.wrong())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if self.expects(|vtype| matches!(vtype, VType::String)) {
            return Ok(value.into());
        }
        Err(self.wrong())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        if self.nullable {
            Ok(Value::Null)
        } else {
            Err(self.wrong())
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let VTypeExt::Array(element) = self.vtype else {
            return Err(self.wrong());
        };
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(self.of(element))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if let Some(members) = self.members() {
            return members.visit_map(map);
        }
        let VTypeExt::Dict(element) = self.vtype else {
            return Err(self.wrong());
        };
        let mut values = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            values.insert(name, map.next_value_seed(self.of(element))?);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "interface org.example.test
type Inner (count: int, list: []string)
type Outer (inner: Inner, map: [string]string, inners: []Inner)
method Call(name: string, count: int, share: float, flag: bool, outer: Outer, any: object) -> ()
";

    fn read(text: &str) -> Result<Value, Offender> {
        Definition::parse(TEXT)
            .unwrap()
            .read_parameters("Call", text)
    }

    #[rstest]
    #[case::nothing("{}", json!({}))]
    #[case::plain(r#"{"name":"a","count":-1,"share":1.5,"flag":true}"#, json!({"name":"a","count":-1,"share":1.5,"flag":true}))]
    #[case::whole_share(r#"{"share":2}"#, json!({"share":2}))]
    #[case::null_is_absent(r#"{"name":null,"count":1}"#, json!({"count":1}))]
    #[case::unknown_is_ignored(r#"{"other":[[[1]]],"count":1}"#, json!({"count":1}))]
    #[case::nested(r#"{"outer":{"map":{"a":"b"},"inners":[{"count":1,"x":2}]}}"#, json!({"outer":{"map":{"a":"b"},"inners":[{"count":1}]}}))]
    #[case::largest(r#"{"count":9223372036854775807}"#, json!({"count":i64::MAX}))]
    #[case::smallest(r#"{"count":-9223372036854775808}"#, json!({"count":i64::MIN}))]
    #[case::last_of_two(r#"{"count":1,"count":2}"#, json!({"count":2}))]
    #[case::last_of_two_is_null(r#"{"count":1,"count":null}"#, json!({}))]
    #[case::anything(r#"{"any":[1,{"a":null}]}"#, json!({"any":[1,{"a":null}]}))]
    fn parameters_are_read(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(read(text).unwrap(), expected);
    }

    #[rstest]
    #[case::array("[]", "parameters")]
    #[case::array_in_order(r#"["a",1]"#, "parameters")]
    #[case::string(r#""x""#, "parameters")]
    #[case::number("1", "parameters")]
    #[case::int_for_string(r#"{"name":1}"#, "name")]
    #[case::string_for_int(r#"{"count":"1"}"#, "count")]
    #[case::fraction_for_int(r#"{"count":1.5}"#, "count")]
    #[case::zero_fraction_for_int(r#"{"count":5.0}"#, "count")]
    #[case::exponent_for_int(r#"{"count":1e3}"#, "count")]
    #[case::too_large_for_int(r#"{"count":9223372036854775808}"#, "count")]
    #[case::out_of_range(r#"{"share":1e400}"#, "share")]
    #[case::int_for_bool(r#"{"flag":1}"#, "flag")]
    #[case::lone_surrogate(r#"{"name":"\ud800"}"#, "name")]
    #[case::array_for_structure(r#"{"outer":[]}"#, "outer")]
    #[case::nested(r#"{"outer":{"inner":{"count":"x"}}}"#, "count")]
    #[case::element(r#"{"outer":{"inner":{"list":["a",1]}}}"#, "list")]
    #[case::null_element(r#"{"outer":{"inner":{"list":[null]}}}"#, "list")]
    #[case::null_in_map(r#"{"outer":{"map":{"a":null}}}"#, "map")]
    #[case::structure_in_array(r#"{"outer":{"inners":[{"list":7}]}}"#, "list")]
    #[case::first_of_two(r#"{"flag":1,"name":1}"#, "flag")]
    fn a_wrong_parameter_is_named(#[case] text: &str, #[case] offender: &str) {
        assert_eq!(read(text).unwrap_err(), offender);
    }

    fn list_of(length: usize) -> String {
        let items = vec![r#""""#; length].join(",");
        format!(r#"{{"outer":{{"inner":{{"list":[{items}]}}}}}}"#)
    }

    #[test]
    fn many_values_are_taken_and_one_too_many_is_refused() {
        // Three of them are the structures and the list around the elements.
        assert!(read(&list_of(PARAMETER_VALUES - 3)).is_ok());
        assert_eq!(read(&list_of(PARAMETER_VALUES - 2)).unwrap_err(), "list");
    }

    #[rstest]
    #[case::wrong_type(r#"{"name":"#, "name")]
    #[case::in_a_list(r#"{"outer":{"inner":{"list":"#, "list")]
    fn deep_nesting_is_a_wrong_type(#[case] before: &str, #[case] offender: &str) {
        let deep = ["[".repeat(100_000), "]".repeat(100_000)].concat();
        let after = "}".repeat(before.matches('{').count());
        assert_eq!(
            read(&[before, &deep, &after].concat()).unwrap_err(),
            offender
        );
    }
}
