//! From a message to the method that it calls: every call gets an answer, whatever the method does.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::{Map, Value};
use varlink::{CallTrait, Request};

use super::{
    call::{Answer, Call, Methods},
    definition::Definition,
    generated::podman::VarlinkCallError,
    message::{self, Head, Malformed},
};
use crate::sys::peer::Peer;

/// An interface as one connection sees it.
pub(crate) struct Exported {
    pub(crate) definition: &'static Definition,
    pub(crate) interface: Box<dyn Methods>,
}

/// The interfaces of one connection.
pub(crate) struct Dispatcher(Vec<Exported>);

impl Dispatcher {
    pub(crate) fn new(exported: Vec<Exported>) -> Self {
        Self(exported)
    }

    /// Answers one message; [`Answer::Lost`] when the connection is of no more use.
    pub(crate) fn answer(&self, message: &[u8], peer: &Peer) -> Answer {
        match message::read(message) {
            Ok(head) => self.call(head, peer),
            Err(malformed) => refuse(&malformed, peer),
        }
    }

    fn call(&self, head: Head<'_>, peer: &Peer) -> Answer {
        let mut request = Request {
            more: head.more.then_some(true),
            oneway: head.oneway.then_some(true),
            upgrade: None,
            method: head.method,
            parameters: None,
        };
        match self.find(&request.method, head.parameters) {
            Ok((interface, parameters)) => {
                request.parameters = Some(parameters);
                guarded(interface, Call::new(peer, &request))
            }
            Err(fault) => fault.reply(Call::new(peer, &request)),
        }
    }

    fn find(&self, method: &str, parameters: Option<&str>) -> Result<(&dyn Methods, Value), Fault> {
        let (interface, name) = method
            .rsplit_once('.')
            .filter(|(interface, _)| !interface.is_empty())
            .ok_or_else(|| Fault::Parameter("method".to_owned()))?;
        let exported = self
            .0
            .iter()
            .find(|exported| exported.definition.name() == interface)
            .ok_or_else(|| Fault::Interface(interface.to_owned()))?;
        if !exported.definition.has_method(name) {
            return Err(Fault::Method(method.to_owned()));
        }
        let parameters = match parameters {
            Some(text) => exported
                .definition
                .read_parameters(name, text)
                .map_err(Fault::Parameter)?,
            None => Value::Object(Map::new()),
        };
        Ok((exported.interface.as_ref(), parameters))
    }
}

/// What keeps a call from reaching a method.
enum Fault {
    Parameter(String),
    Interface(String),
    Method(String),
}

impl Fault {
    fn reply(self, mut call: Call<'_>) -> Answer {
        let sent = match self {
            Self::Parameter(name) => call.reply_invalid_parameter(name),
            Self::Interface(name) => call.reply_interface_not_found(&name),
            Self::Method(name) => call.reply_method_not_found(name),
        };
        note(sent);
        call.answer()
    }
}

/// Answers a message that is no call.
pub(crate) fn refuse(malformed: &Malformed, peer: &Peer) -> Answer {
    let request = Request {
        oneway: Some(malformed.oneway),
        ..Request::default()
    };
    let mut call = Call::new(peer, &request);
    note(call.reply_invalid_parameter(malformed.parameter.to_owned()));
    call.answer()
}

/// Runs the method; a panic, or an end without an answer, is answered here.
fn guarded(interface: &dyn Methods, mut call: Call<'_>) -> Answer {
    let outcome = catch_unwind(AssertUnwindSafe(|| interface.call(&mut call)));
    let reason = match outcome {
        Ok(Ok(())) => "the method gave no answer".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => text(panic.as_ref()).to_owned(),
    };
    if call.answer() == Answer::Owed {
        let method = call.request.map(|request| &request.method);
        tracing::error!(?method, reason, "a call failed inside");
        call.set_continues(false);
        note(call.reply_error_occurred(format!("internal error: {reason}")));
    }
    call.answer()
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// A reply that cannot be sent is recorded by [`Replies`]; here it is only worth a word in the log.
fn note(sent: varlink::Result<()>) {
    if let Err(error) = sent {
        tracing::debug!(%error, "a reply could not be sent");
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use crate::api::fake::Served;

    fn failed(reason: &str) -> Value {
        let name = "io.projectatomic.podman.ErrorOccurred";
        json!({"error": name, "parameters": {"reason": format!("internal error: {reason}")}})
    }

    #[rstest]
    #[case::panic("Panic", "the method panicked")]
    #[case::no_answer("Silent", "the method gave no answer")]
    fn a_method_that_fails_inside_is_answered(#[case] method: &str, #[case] reason: &str) {
        let served = Served::start();
        let mut client = served.connect();
        assert_eq!(client.ask(method), failed(reason));
        assert!(client.is_fine());
    }

    #[test]
    fn a_panic_in_a_stream_ends_it_with_an_error() {
        let served = Served::start();
        let mut client = served.connect();
        let first = client.ask("Half");
        assert_eq!(
            first,
            json!({"continues": true, "parameters": {"text": "part"}})
        );
        assert_eq!(client.receive(), Some(failed("the method panicked")));
        assert!(client.is_fine());
    }
}
