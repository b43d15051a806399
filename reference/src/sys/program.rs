//! Running a program of the host for what it prints, never without a bound on time and output.

use std::{
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};

/// How much of a program's complaints is kept.
const COMPLAINTS: usize = 64 << 10;

/// What a program may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From its start to its end.
    pub time: Duration,
    /// Bytes on its standard output.
    pub output: usize,
}

/// What a program left.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error: its beginning.
    pub complaints: Vec<u8>,
}

/// Runs it, with nothing to read, until it has ended.
///
/// # Errors
/// If it cannot be started, or goes over a bound; it is then killed.
pub fn run(command: &mut Command, bounds: Bounds) -> io::Result<Finished> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let read = collect(&mut child, bounds);
    if read.is_err() {
        // It may have ended by itself; it is collected either way.
        let _ = child.kill();
    }
    let status = child.wait();
    let (output, complaints) = read?;
    Ok(Finished {
        status: status?,
        output,
        complaints,
    })
}

/// Reads both streams to their ends.
fn collect(child: &mut Child, bounds: Bounds) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (mut output, mut complaints) = (Vec::new(), Vec::new());
    let deadline = Instant::now() + bounds.time;
    while stdout.is_some() || stderr.is_some() {
        let fds = [
            stdout.as_ref().map(AsFd::as_fd),
            stderr.as_ref().map(AsFd::as_fd),
        ];
        let [out, err] = ready(fds, deadline)?;
        if out && !read_some(&mut stdout, &mut output)? {
            stdout = None;
        }
        if err && !read_some(&mut stderr, &mut complaints)? {
            stderr = None;
        }
        complaints.truncate(COMPLAINTS);
        if output.len() > bounds.output {
            return Err(io::Error::other(format!(
                "it prints more than {} bytes",
                bounds.output
            )));
        }
    }
    Ok((output, complaints))
}

/// Which of the two has something to read, or is at its end.
fn ready(fds: [Option<BorrowedFd<'_>>; 2], deadline: Instant) -> io::Result<[bool; 2]> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long"));
        }
        let timeout =
            PollTimeout::try_from(left.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX);
        let present = fds.iter().flatten();
        let mut set: Vec<PollFd<'_>> = present
            .map(|fd| PollFd::new(*fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut set, timeout) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => {
                let mut answers = set.iter().map(|fd| fd.any().unwrap_or(true));
                return Ok(fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads what there is; `false` at the end.
fn read_some(stream: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<bool> {
    let Some(stream) = stream else {
        return Ok(false);
    };
    let mut chunk = [0; 16 << 10];
    let count = stream.read(&mut chunk)?;
    into.extend_from_slice(chunk.get(..count).unwrap_or_default());
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        time: Duration::from_secs(20),
        output: 100_000,
    };

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_and_the_exit_code_are_collected() {
        let script = "echo out; echo err >&2; exit 3";
        let finished = run(&mut shell(script), BOUNDS).unwrap();
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(finished.output, b"out\n");
        assert_eq!(finished.complaints, b"err\n");
    }

    #[test]
    fn neither_stream_holds_the_other_up() {
        let script = "head -c 90000 /dev/zero >&2; head -c 90000 /dev/zero";
        let finished = run(&mut shell(script), BOUNDS).unwrap();
        assert_eq!(finished.output.len(), 90_000);
        assert_eq!(finished.complaints.len(), COMPLAINTS);
    }

    #[test]
    fn a_program_without_an_end_is_killed() {
        let endless = run(&mut shell("exec cat /dev/zero"), BOUNDS).unwrap_err();
        assert!(endless.to_string().contains("100000 bytes"), "{endless}");
        let bounds = Bounds {
            time: Duration::from_millis(50),
            ..BOUNDS
        };
        let slow = run(&mut shell("exec sleep 60"), bounds).unwrap_err();
        assert_eq!(slow.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let missing = run(&mut Command::new("/no/such/program"), BOUNDS).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
