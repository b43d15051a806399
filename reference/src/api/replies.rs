//! Where the replies of one call go, and whether the call has been answered.

use std::io::{self, Write};

use crate::sys::peer::Peer;

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

/// The replies of one call. Each arrives here whole, its NUL included, and leaves in one write.
#[derive(Debug)]
pub(crate) struct Replies<'p> {
    peer: &'p Peer,
    oneway: bool,
    answer: Answer,
}

/// How the varlink crate begins a reply that others will follow.
const CONTINUES: &[u8] = br#"{"continues":true"#;

impl<'p> Replies<'p> {
    /// With `oneway`, what is written is dropped.
    pub(crate) fn new(peer: &'p Peer, oneway: bool) -> Self {
        let answer = if oneway { Answer::Given } else { Answer::Owed };
        Self {
            peer,
            oneway,
            answer,
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        self.answer
    }
}

impl Write for Replies<'_> {
    fn write(&mut self, reply: &[u8]) -> io::Result<usize> {
        self.write_all(reply)?;
        Ok(reply.len())
    }

    fn write_all(&mut self, reply: &[u8]) -> io::Result<()> {
        if self.oneway {
            return Ok(());
        }
        let mut peer = self.peer;
        peer.write_all(reply)
            .inspect_err(|_| self.answer = Answer::Lost)?;
        if !reply.starts_with(CONTINUES) {
            self.answer = Answer::Given;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::net::UnixStream};

    use varlink::{Call, CallTrait, Reply, Request};

    use super::*;

    fn pair() -> (Peer, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Peer::new(ours.into()), theirs)
    }

    /// Answers as generated code does.
    fn reply(replies: &mut Replies<'_>, continues: bool) -> varlink::Result<()> {
        let request = Request {
            more: Some(true),
            ..Request::create("a.B", None)
        };
        let mut call = Call::new(replies, &request);
        call.set_continues(continues);
        call.reply_struct(Reply::parameters(None))
    }

    #[test]
    fn a_stream_is_answered_by_its_last_reply() {
        let (peer, mut client) = pair();
        let mut replies = Replies::new(&peer, false);
        reply(&mut replies, true).unwrap();
        assert_eq!(replies.answer(), Answer::Owed);
        reply(&mut replies, false).unwrap();
        assert_eq!(replies.answer(), Answer::Given);
        drop(peer);
        let mut sent = String::new();
        client.read_to_string(&mut sent).unwrap();
        assert_eq!(sent, "{\"continues\":true}\0{}\0");
    }

    #[test]
    fn a_oneway_call_sends_nothing() {
        let (peer, mut client) = pair();
        reply(&mut Replies::new(&peer, true), false).unwrap();
        drop(peer);
        let mut sent = Vec::new();
        client.read_to_end(&mut sent).unwrap();
        assert!(sent.is_empty());
    }

    #[test]
    fn a_client_that_has_gone_is_lost() {
        let (peer, client) = pair();
        drop(client);
        let mut replies = Replies::new(&peer, false);
        assert!(reply(&mut replies, false).is_err());
        assert_eq!(replies.answer(), Answer::Lost);
    }
}
