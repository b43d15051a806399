//! One client: its messages are answered one after the other, in order.

use std::os::fd::{AsFd, BorrowedFd};

use super::{
    call::Answer,
    dispatch::{Dispatcher, refuse},
    frames::{Ended, Frames},
    message::{self, Malformed},
};
use crate::sys::peer::Peer;

/// Serves a client until it leaves, breaks off, or the daemon shuts down.
pub(crate) fn serve(peer: &Peer, dispatcher: &Dispatcher, shutdown: BorrowedFd<'_>) {
    let mut frames = Frames::new();
    loop {
        match frames.next(peer, shutdown) {
            Ok(message) => {
                if dispatcher.answer(message, peer) == Answer::Lost {
                    return;
                }
            }
            Err(ended) => return part(peer, &ended),
        }
    }
}

fn part(peer: &Peer, ended: &Ended) {
    if matches!(ended, Ended::TooLong) {
        // Where the next message begins is not known, so this is the last answer.
        refuse(
            &Malformed {
                parameter: message::WHOLE,
                oneway: false,
            },
            peer,
        );
        peer.finish_writing();
    }
    tracing::debug!(fd = ?peer.as_fd(), reason = %ended, "a connection ends");
}
