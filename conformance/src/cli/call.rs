//! `call`: a small varlink client.

use std::{io::Write, time::Duration};

use clap::Args;
use serde_json::Value;

use super::{failure::Failure, say};
use crate::endpoint::{Address, Call, Connection, Deadline, Received, Reply};

/// "For ever", in a form that can be added to a point in time.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Call a method.
#[derive(Debug, Args)]
pub(super) struct MethodCall {
    /// Ask for several replies
    #[arg(short, long, conflicts_with = "oneway")]
    more: bool,
    /// Ask for none
    #[arg(long)]
    oneway: bool,
    /// Where and what: unix:/run/x/org.varlink.service.GetInfo
    #[arg(value_name = "ADDRESS/METHOD")]
    target: String,
    /// The parameters, a JSON object
    #[arg(value_name = "JSON")]
    parameters: Option<String>,
    /// Seconds to wait for a reply [default: for ever]
    #[arg(long, value_name = "S")]
    timeout: Option<u32>,
}

impl MethodCall {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<u8, Failure> {
        let (address, method) = self.target()?;
        if let Some(text) = &self.parameters {
            serde_json::from_str::<serde_json::Map<String, Value>>(text).map_err(|error| {
                Failure::Usage(format!("the parameters are not a JSON object: {error}"))
            })?;
        }
        let time = self
            .timeout
            .map_or(FOR_EVER, |seconds| Duration::from_secs(seconds.into()));
        let mut connection = address.connect(&Deadline::after(time))?;
        let (more, oneway) = (self.more, self.oneway);
        let call = Call {
            method,
            parameters: self.parameters.as_deref(),
            more,
            oneway,
        };
        let sent = connection.send(&call.encode(), &Deadline::after(time));
        sent.map_err(|error| Failure::NoAnswer(error.to_string()))?;
        if oneway {
            Ok(0)
        } else {
            replies(&mut connection, time, out)
        }
    }

    fn target(&self) -> Result<(Address, &str), Failure> {
        let Some((address, method)) = self.target.rsplit_once('/') else {
            return Err(Failure::Usage("expected ADDRESS/METHOD".to_owned()));
        };
        if !method.contains('.') {
            return Err(Failure::Usage(format!(
                "{method:?} is no method: expected INTERFACE.METHOD"
            )));
        }
        Ok((address.parse()?, method))
    }
}

fn replies(
    connection: &mut Connection,
    time: Duration,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    loop {
        let reply = match connection.receive(&Deadline::after(time)) {
            Received::Frame(frame) => Reply::parse(&frame).map_err(Failure::NoAnswer)?,
            other => return Err(Failure::NoAnswer(other.why_no_frame())),
        };
        let text = serde_json::to_string_pretty(&reply.parameters)
            .unwrap_or_else(|_| reply.parameters.to_string());
        if let Some(error) = reply.error {
            anstream::eprintln!("{error}\n{text}");
            return Ok(1);
        }
        say(out, text)?;
        out.flush().map_err(Failure::Output)?;
        if !reply.continues {
            return Ok(0);
        }
    }
}
