//! One call as its method sees it: what was asked, and where the answer goes, written as text without a tree of values between.

use std::io::Write;

use serde::Serialize;
use varlink::{CallTrait, Reply, Request, map_context};

use crate::sys::peer::Peer;

/// What answers the calls of one interface, of one connection.
pub(crate) trait Methods {
    /// Carries out the method that the call names.
    fn call(&self, call: &mut Call<'_>) -> varlink::Result<()>;
}

/// How far the answer to a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The last reply is still to come.
    Owed,
    /// The last reply was sent, or the caller reads none.
    Given,
    /// The client cannot be written to any more.
    Lost,
}

/// A call. In place of the varlink crate's own type, which turns every reply into a tree of values before it is written.
#[derive(Debug)]
pub(crate) struct Call<'c> {
    /// Always there; optional because the generated dispatch asks for it.
    pub(crate) request: Option<&'c Request<'c>>,
    peer: &'c Peer,
    continues: bool,
    answer: Answer,
}

/// Writing replies piece by piece: what the traits of the generated code have besides [`CallTrait`].
pub(crate) trait Replying: CallTrait {
    /// The text of a reply up to its parameters, which are to follow as one JSON value.
    fn begin(&self) -> Vec<u8>;

    /// Completes the text of a reply and sends it.
    fn send(&mut self, text: Vec<u8>) -> varlink::Result<()>;
}

/// Replies with these parameters.
pub(crate) fn reply<C: Replying + ?Sized>(
    call: &mut C,
    parameters: &impl Serialize,
) -> varlink::Result<()> {
    let mut text = call.begin();
    serde_json::to_writer(&mut text, parameters).map_err(map_context!())?;
    call.send(text)
}

impl<'c> Call<'c> {
    pub(crate) fn new(peer: &'c Peer, request: &'c Request<'c>) -> Self {
        let mut call = Self {
            request: Some(request),
            peer,
            continues: false,
            answer: Answer::Owed,
        };
        if call.is_oneway() {
            call.answer = Answer::Given;
        }
        call
    }

    pub(crate) fn answer(&self) -> Answer {
        self.answer
    }

    pub(crate) fn reply_interface_not_found(&mut self, name: &str) -> varlink::Result<()> {
        let parameters = serde_json::json!({ "interface": name });
        self.reply_struct(Reply::error(
            "org.varlink.service.InterfaceNotFound",
            Some(parameters),
        ))
    }

    /// Sends one reply, its NUL included, in one write.
    fn write(&mut self, reply: &[u8]) -> varlink::Result<()> {
        if self.is_oneway() {
            return Ok(());
        }
        let mut peer = self.peer;
        peer.write_all(reply)
            .inspect_err(|_| self.answer = Answer::Lost)
            .map_err(map_context!())?;
        if !self.continues {
            self.answer = Answer::Given;
        }
        Ok(())
    }

    /// Only a caller that asked for several replies gets them.
    fn check(&self) -> varlink::Result<()> {
        if self.continues && !self.wants_more() {
            return Err(varlink::context!(varlink::ErrorKind::CallContinuesMismatch));
        }
        Ok(())
    }
}

impl Replying for Call<'_> {
    fn begin(&self) -> Vec<u8> {
        let head: &[u8] = match self.continues {
            true => br#"{"continues":true,"parameters":"#,
            false => br#"{"parameters":"#,
        };
        head.to_vec()
    }

    fn send(&mut self, mut text: Vec<u8>) -> varlink::Result<()> {
        self.check()?;
        text.extend_from_slice(b"}\0");
        self.write(&text)
    }
}

impl CallTrait for Call<'_> {
    fn reply_struct(&mut self, mut reply: Reply) -> varlink::Result<()> {
        self.check()?;
        reply.continues = self.continues.then_some(true);
        let mut text = serde_json::to_vec(&reply).map_err(map_context!())?;
        text.push(0);
        self.write(&text)
    }

    fn set_continues(&mut self, continues: bool) {
        self.continues = continues;
    }

    /// There is nothing to upgrade to; a call that asks for it is refused before it comes here.
    fn to_upgraded(&mut self) {}

    fn is_oneway(&self) -> bool {
        self.request.is_some_and(|r| r.oneway == Some(true))
    }

    fn wants_more(&self) -> bool {
        self.request.is_some_and(|r| r.more == Some(true))
    }

    fn get_request(&self) -> Option<&Request<'_>> {
        self.request
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use serde_json::json;

    use super::*;

    fn pair() -> (Peer, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Peer::new(ours.into()), theirs)
    }

    fn request(more: bool, oneway: bool) -> Request<'static> {
        Request {
            more: Some(more),
            oneway: Some(oneway),
            ..Request::create("a.B", None)
        }
    }

    fn received(peer: Peer, mut client: UnixStream) -> String {
        drop(peer);
        let mut sent = String::new();
        client.read_to_string(&mut sent).unwrap();
        sent
    }

    #[test]
    fn a_stream_is_answered_by_its_last_reply() {
        let (peer, client) = pair();
        let request = request(true, false);
        let mut call = Call::new(&peer, &request);
        call.set_continues(true);
        call.reply_struct(Reply::parameters(None)).unwrap();
        reply(&mut call, &json!({"a": "\n"})).unwrap();
        assert_eq!(call.answer(), Answer::Owed);
        call.set_continues(false);
        reply(&mut call, &json!({"a": []})).unwrap();
        assert_eq!(call.answer(), Answer::Given);
        assert_eq!(
            received(peer, client),
            concat!(
                "{\"continues\":true}\0",
                "{\"continues\":true,\"parameters\":{\"a\":\"\\n\"}}\0",
                "{\"parameters\":{\"a\":[]}}\0"
            )
        );
    }

    #[test]
    fn a_caller_that_asked_for_one_reply_gets_no_stream() {
        let (peer, client) = pair();
        let request = request(false, false);
        let mut call = Call::new(&peer, &request);
        call.set_continues(true);
        assert!(reply(&mut call, &()).is_err());
        assert!(call.reply_struct(Reply::parameters(None)).is_err());
        assert_eq!(call.answer(), Answer::Owed);
        assert_eq!(received(peer, client), "");
    }

    #[test]
    fn a_oneway_call_sends_nothing() {
        let (peer, client) = pair();
        let request = request(false, true);
        let mut call = Call::new(&peer, &request);
        reply(&mut call, &()).unwrap();
        call.reply_struct(Reply::parameters(None)).unwrap();
        assert_eq!(call.answer(), Answer::Given);
        assert_eq!(received(peer, client), "");
    }

    #[test]
    fn a_client_that_has_gone_is_lost() {
        let (peer, client) = pair();
        drop(client);
        let request = request(false, false);
        let mut call = Call::new(&peer, &request);
        assert!(reply(&mut call, &()).is_err());
        assert_eq!(call.answer(), Answer::Lost);
    }
}
