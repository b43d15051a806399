//! A call as it goes over the wire, and the simplest way to make one.

use serde_json::{Map, Value};

use super::{Address, ConnectError, Deadline, Received, SendError};

/// A call, before it becomes bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call<'a> {
    /// The full method name.
    pub method: &'a str,
    /// JSON text, sent as it is; `None`: the member is absent.
    pub parameters: Option<&'a str>,
    /// Asks for several replies.
    pub more: bool,
    /// Asks for none.
    pub oneway: bool,
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The call could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// No reply that can be read came.
    #[error("{0}")]
    NoReply(String),
    /// The method failed.
    #[error("{name} {parameters}")]
    Failed {
        /// The error's full name.
        name: String,
        /// Its parameters.
        parameters: Value,
    },
}

/// A reply message, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// `parameters`; an absent or null member is an empty object.
    pub parameters: Value,
    /// The error's full name.
    pub error: Option<String>,
    /// Whether more replies follow.
    pub continues: bool,
}

impl Call<'_> {
    /// The message, NUL included.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("{{\"method\":{}", Value::from(self.method));
        if let Some(parameters) = self.parameters {
            text.push_str(",\"parameters\":");
            text.push_str(parameters);
        }
        if self.more {
            text.push_str(",\"more\":true");
        }
        if self.oneway {
            text.push_str(",\"oneway\":true");
        }
        text.push_str("}\0");
        text.into_bytes()
    }
}

impl Reply {
    /// Takes a message apart; anything that is not an object has no members.
    pub fn of(message: &Value) -> Self {
        let parameters = match message.get("parameters") {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(parameters) => parameters.clone(),
        };
        Self {
            parameters,
            error: message
                .get("error")
                .and_then(Value::as_str)
                .map(str::to_owned),
            continues: message.get("continues") == Some(&Value::Bool(true)),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// It is not a JSON object; says what it is instead.
    pub fn parse(frame: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice::<Value>(frame) {
            Ok(message @ Value::Object(_)) => Ok(Self::of(&message)),
            Ok(_) => Err("the endpoint sent a message that is not a JSON object".to_owned()),
            Err(error) => Err(format!(
                "the endpoint sent a message that is not JSON: {error}"
            )),
        }
    }
}

/// Calls a method on a connection of its own and returns the reply's parameters.
///
/// # Errors
/// No connection, no reply before the deadline, or the method failed.
pub fn call(
    address: &Address,
    method: &str,
    parameters: &Value,
    deadline: &Deadline<'_>,
) -> Result<Value, CallError> {
    let mut connection = address.connect(deadline)?;
    let text = parameters.to_string();
    let call = Call {
        method,
        parameters: Some(&text),
        ..Call::default()
    };
    connection.send(&call.encode(), deadline)?;
    let reply = match connection.receive(deadline) {
        Received::Frame(frame) => Reply::parse(&frame).map_err(CallError::NoReply)?,
        other => return Err(CallError::NoReply(other.why_no_frame())),
    };
    match reply.error {
        Some(name) => Err(CallError::Failed {
            name,
            parameters: reply.parameters,
        }),
        None => Ok(reply.parameters),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_message_with_its_parameters_as_written() {
        let call = Call {
            method: "a.b.C",
            parameters: Some("{ \"x\": 1 }"),
            more: true,
            oneway: false,
        };
        let expected = b"{\"method\":\"a.b.C\",\"parameters\":{ \"x\": 1 },\"more\":true}\0";
        assert_eq!(call.encode(), expected);
    }
}
