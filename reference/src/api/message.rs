//! Reads the head of a call: what is called and how, its parameters left as text.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::definition::PARAMETER_BYTES;

/// A call, its parameters still to be checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head<'m> {
    pub(crate) method: Cow<'m, str>,
    /// JSON text; `None` when absent or null.
    pub(crate) parameters: Option<&'m str>,
    pub(crate) oneway: bool,
    pub(crate) more: bool,
}

/// A message that is no call: the first member at fault, and whether the caller reads no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) parameter: &'static str,
    pub(crate) oneway: bool,
}

/// What is at fault when a message has no members at all.
pub(crate) const WHOLE: &str = "message";
/// The deepest nesting; the interface itself needs four levels.
pub const NESTING: usize = 128;

/// Reads one message. Of two members of one name the last counts; null is absent; unknown members are ignored.
pub(crate) fn read(message: &[u8]) -> Result<Head<'_>, Malformed> {
    let unreadable = Malformed {
        parameter: WHOLE,
        oneway: false,
    };
    let Ok(text) = std::str::from_utf8(message) else {
        return Err(unreadable);
    };
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        return Err(unreadable);
    };
    if is_deeper_than(NESTING, message) {
        Err(unreadable)
    } else {
        members.check()
    }
}

/// Whether arrays and objects in well-formed JSON nest more deeply.
fn is_deeper_than(limit: usize, json: &[u8]) -> bool {
    // Every level takes two bytes, so a short text needs no look.
    if json.len() < 2 * limit {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        depth > limit
    })
}

/// The members that count, as they stand in the text.
#[derive(Default)]
struct Members<'m> {
    method: Option<&'m str>,
    parameters: Option<&'m str>,
    oneway: Option<&'m str>,
    more: Option<&'m str>,
    upgrade: Option<&'m str>,
}

impl<'m> Members<'m> {
    fn check(self) -> Result<Head<'m>, Malformed> {
        let oneway = flag(self.oneway);
        let fault = |parameter| Malformed {
            parameter,
            oneway: oneway == Some(true),
        };
        // The most serious first: without a method nothing else has a meaning.
        let method = self.method.filter(|text| text.len() <= PARAMETER_BYTES);
        let method = method.and_then(Text::read);
        let method = method.ok_or_else(|| fault("method"))?;
        let more = flag(self.more).ok_or_else(|| fault("more"))?;
        let oneway = oneway.ok_or_else(|| fault("oneway"))?;
        if flag(self.upgrade) != Some(false) {
            return Err(fault("upgrade"));
        }
        // A caller that reads no answer cannot read several.
        Ok(Head {
            method,
            parameters: self.parameters,
            oneway,
            more: more && !oneway,
        })
    }
}

fn flag(text: Option<&str>) -> Option<bool> {
    match text {
        None | Some("false") => Some(false),
        Some("true") => Some(true),
        Some(_) => None,
    }
}

/// A string of the message, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Text<'m>(#[serde(borrow)] Cow<'m, str>);

impl<'m> Text<'m> {
    fn read(text: &'m str) -> Option<Cow<'m, str>> {
        serde_json::from_str::<Self>(text).ok().map(|text| text.0)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a call")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(Text(name)) = map.next_key()? {
            let member = match name.as_ref() {
                "method" => &mut members.method,
                "parameters" => &mut members.parameters,
                "oneway" => &mut members.oneway,
                "more" => &mut members.more,
                "upgrade" => &mut members.upgrade,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let text = map.next_value::<&RawValue>()?.get();
            *member = Some(text).filter(|text| *text != "null");
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn head(method: &str) -> Head<'_> {
        Head {
            method: method.into(),
            ..Head::default()
        }
    }

    #[rstest]
    #[case::bare(r#"{"method":"a.B"}"#, head("a.B"))]
    #[case::white_space(" \n{ \"method\" : \"a.B\" }\t", head("a.B"))]
    #[case::escapes(r#"{"\u006dethod":"a.\u0042"}"#, head("a.B"))]
    #[case::parameters(r#"{"method":"a.B","parameters":{"x":[1]}}"#, Head { parameters: Some(r#"{"x":[1]}"#), ..head("a.B") })]
    #[case::nulls(
        r#"{"method":"a.B","parameters":null,"more":null,"oneway":null,"upgrade":null}"#,
        head("a.B")
    )]
    #[case::more(r#"{"method":"a.B","more":true}"#, Head { more: true, ..head("a.B") })]
    #[case::oneway_wins(r#"{"method":"a.B","more":true,"oneway":true}"#, Head { oneway: true, ..head("a.B") })]
    #[case::unknown_member(r#"{"method":"a.B","x":{"y":"\ud800"}}"#, head("a.B"))]
    #[case::last_of_two(r#"{"method":3,"method":"a.B"}"#, head("a.B"))]
    #[case::not_upgraded(r#"{"method":"a.B","upgrade":false}"#, head("a.B"))]
    fn a_call_is_read(#[case] message: &str, #[case] expected: Head<'_>) {
        assert_eq!(read(message.as_bytes()).unwrap(), expected);
    }

    #[rstest]
    #[case::empty("", "message")]
    #[case::cut("{", "message")]
    #[case::array("[]", "message")]
    #[case::array_in_order(r#"["a.B"]"#, "message")]
    #[case::null("null", "message")]
    #[case::number("7", "message")]
    #[case::string(r#""a.B""#, "message")]
    #[case::two_objects(r#"{"method":"a.B"}{}"#, "message")]
    #[case::no_method("{}", "method")]
    #[case::other_case(r#"{"Method":"a.B"}"#, "method")]
    #[case::null_method(r#"{"method":null}"#, "method")]
    #[case::number_method(r#"{"method":3}"#, "method")]
    #[case::lone_surrogate(r#"{"method":"a.\ud800"}"#, "method")]
    #[case::bad_name(r#"{"\ud800":1,"method":"a.B"}"#, "message")]
    #[case::more_is_a_number(r#"{"method":"a.B","more":1}"#, "more")]
    #[case::oneway_is_a_string(r#"{"method":"a.B","oneway":"true"}"#, "oneway")]
    #[case::upgrade(r#"{"method":"a.B","upgrade":true}"#, "upgrade")]
    #[case::upgrade_is_a_number(r#"{"method":"a.B","upgrade":0}"#, "upgrade")]
    fn what_is_no_call_names_the_member(#[case] message: &str, #[case] parameter: &'static str) {
        assert_eq!(
            read(message.as_bytes()),
            Err(Malformed {
                parameter,
                oneway: false
            })
        );
    }

    #[test]
    fn a_malformed_oneway_call_is_known_as_oneway() {
        let got = read(br#"{"more":1,"method":"a.B","oneway":true}"#);
        assert_eq!(
            got,
            Err(Malformed {
                parameter: "more",
                oneway: true
            })
        );
    }

    #[rstest]
    #[case::within(126, true)]
    #[case::beyond(127, false)]
    #[case::far_beyond(100_000, false)]
    fn nesting_is_bounded(#[case] depth: usize, #[case] expected: bool) {
        let deep = ["[".repeat(depth), "]".repeat(depth)].concat();
        let message = format!(r#"{{"method":"a.B","parameters":{{"x":{deep}}}}}"#);
        assert_eq!(read(message.as_bytes()).is_ok(), expected);
    }

    #[test]
    fn brackets_in_a_string_do_not_nest() {
        let message = format!(r#"{{"method":"a.B","x":"{}"}}"#, r#"\"[{"#.repeat(200));
        assert!(read(message.as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_call() {
        assert!(read(b"{\"method\":\"a.\xff\"}").is_err());
    }
}
