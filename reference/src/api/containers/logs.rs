//! GetContainerLogs: all at once, or as a stream.

use std::ops::ControlFlow;

use serde_json::{Map, Value};
use varlink::Reply;

use crate::{
    api::{errors, generated::podman::Call_GetContainerLogs, interface::Session},
    engine,
};

type Sent = varlink::Result<()>;

/// With `more`, lines come in batches while the container runs, and a last reply without lines ends the stream.
pub(crate) fn get(
    session: &Session,
    call: &mut dyn Call_GetContainerLogs,
    name: Option<String>,
) -> Sent {
    let name = name.unwrap_or_default();
    if call.wants_more() {
        follow(session, call, &name)
    } else {
        all(session, call, &name)
    }
}

fn all(session: &Session, call: &mut dyn Call_GetContainerLogs, name: &str) -> Sent {
    let mut lines = Vec::new();
    let read = session
        .engine
        .container_logs(name, false, session.caller.cancel(), &mut |batch| {
            lines.extend(batch);
            ControlFlow::Continue(())
        });
    finish(call, read, lines)
}

fn follow(session: &Session, call: &mut dyn Call_GetContainerLogs, name: &str) -> Sent {
    let mut sent = Ok(());
    call.set_continues(true);
    let read = session
        .engine
        .container_logs(name, true, session.caller.cancel(), &mut |batch| {
            sent = reply(&mut *call, batch);
            if sent.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
    call.set_continues(false);
    sent?;
    finish(call, read, Vec::new())
}

fn finish(
    call: &mut dyn Call_GetContainerLogs,
    read: engine::Result<()>,
    lines: Vec<String>,
) -> Sent {
    match read {
        Ok(()) => reply(call, lines),
        Err(error) => errors::reply(call, error),
    }
}

/// Hands the lines over as they are: the generated reply would copy each of them, and a log may have millions.
fn reply(call: &mut dyn Call_GetContainerLogs, lines: Vec<String>) -> Sent {
    let lines = lines.into_iter().map(Value::String).collect();
    let parameters = Map::from_iter([("container".to_owned(), Value::Array(lines))]);
    call.reply_struct(Reply::parameters(Some(Value::Object(parameters))))
}
