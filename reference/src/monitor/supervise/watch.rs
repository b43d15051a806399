//! The monitor's wait: output, attached clients, control messages, and the end of process 1.

use std::{
    io,
    os::{fd::AsFd, unix::process::ExitStatusExt},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

use super::{
    attach::Attach,
    control::Control,
    input::Input,
    output::{Chunk, Ends, Source},
};
use crate::{
    monitor::{MonitorError, RunDir, log::LogWriter},
    sys::{
        pidfd::PidFd,
        process::{Pid, Signal},
        reap::reap,
    },
};

/// Read from the container at once: what a pipe holds by default.
const CHUNK: usize = 64 << 10;

/// How process 1 ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: i32,
    pub(super) signal: Option<Signal>,
}

/// Everything a monitor waits for.
pub(super) struct Watch {
    pid: Pid,
    process: PidFd,
    ends: Ends,
    log: LogWriter,
    attach: Attach,
    control: Control,
    buffer: Vec<u8>,
}

impl Watch {
    pub(super) fn new(
        dir: &RunDir,
        pid: Pid,
        process: PidFd,
        ends: Ends,
        log: LogWriter,
    ) -> Result<Self, MonitorError> {
        let attach =
            Attach::listen(dir.run()).map_err(MonitorError::file("listen on", dir.attach()))?;
        let control = Control::open(&dir.ctl()).map_err(MonitorError::file("open", dir.ctl()))?;
        Ok(Self {
            pid,
            process,
            ends,
            log,
            attach,
            control,
            buffer: vec![0; CHUNK],
        })
    }

    /// Passes output on until process 1 has ended, and collects it.
    pub(super) fn until_exit(&mut self) -> Result<Status, MonitorError> {
        let fail = |error| MonitorError::Process("wait for the container", error);
        loop {
            let ready = self.poll().map_err(fail)?;
            self.pump();
            if let Some(input) = &mut self.ends.input {
                input.pass_on();
            }
            self.attach.serve(self.ends.input.as_mut());
            self.control.serve(self.ends.terminal.as_ref());
            if ready {
                let status = reap(self.pid).map_err(fail)?;
                let signal = status.signal().and_then(Signal::new);
                let code = status.code().or(signal.map(|s| 128 + s.get()));
                return Ok(Status {
                    code: code.unwrap_or(128),
                    signal,
                });
            }
        }
    }

    /// Reads what is left in the pipes, completes the log and hangs up on attached clients.
    /// Returns why output was lost, if some was.
    pub(super) fn finish(mut self) -> Option<io::Error> {
        while self.pump() {}
        self.log.close()
    }

    /// Waits until something is ready; says whether process 1 has ended.
    fn poll(&self) -> io::Result<bool> {
        let input = self.ends.input.as_ref();
        let readable = [self.process.as_fd(), self.control.as_fd()]
            .into_iter()
            .chain(self.ends.sources.iter().filter_map(Source::fd))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let writable = input
            .and_then(Input::waits_for)
            .map(|fd| PollFd::new(fd, PollFlags::POLLOUT));
        let mut fds: Vec<_> = readable
            .chain(writable)
            .chain(self.attach.fds(input))
            .collect();
        loop {
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(fds.first().is_some_and(|fd| fd.any().unwrap_or(true))),
            }
        }
    }

    /// Reads each stream once; says whether there was anything.
    fn pump(&mut self) -> bool {
        let mut any = false;
        for source in &mut self.ends.sources {
            if let Chunk::Bytes(n) = source.read(&mut self.buffer) {
                let chunk = self.buffer.get(..n).unwrap_or_default();
                self.log.write(source.stream, chunk);
                self.attach.send(source.stream, chunk);
                any = true;
            }
        }
        any
    }
}
