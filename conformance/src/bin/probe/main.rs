//! The suite's program inside containers: it reports what it sees as JSON, and misbehaves on request.
//!
//! It uses the standard library alone, so that the build script can compile it in one step to a small static program
//! that the suite carries inside itself.

mod act;
mod attach;
mod attempt;
mod cgroup;
mod files;
mod json;
mod report;
mod signal;

use std::process::ExitCode;

const USAGE: &str = "usage: probe COMMAND [ARG...] [-- COMMAND [ARG...]]...
commands:
  report                 one line of JSON: what this process sees
  exit CODE              ends with CODE
  say TEXT...            one line on standard output
  err TEXT...            one line on standard error
  bytes HEX              bytes on standard output, given in hexadecimal digits
  hear                   waits for a line on standard input, says it on standard output and standard error
  print N [TEXT]         N numbered lines on standard output
  cat [PATH]             copies a file, or standard input, to standard output
  sleep [SECONDS]        waits, for ever by default; SIGTERM ends it with 143
  ignore SIGNAL...       ignores the signals, says `ready`, waits for ever
  trap SIGNAL CODE       says `ready`, ends with CODE on SIGNAL
  ticks MILLISECONDS     `tick 1`, `tick 2`, ... for ever
  spin [SECONDS]         uses the processor, for ever by default
  fill BYTES             takes memory and touches it, says `filled`, waits for ever
  write PATH TEXT...     writes a file
  read PATH              prints a file's text as one JSON string, or null where it cannot be read
  delete PATH            removes a file or a directory tree
  attach PATH TEXT       connects to a container's I/O socket, sends a line, and says what came until the end
  tell PATH TEXT...      sends a line to a FIFO or a socket
  talk BYTES             sends so many bytes to itself over the loopback device, says `talked`
  size ROWS COLUMNS      waits until its terminal has that size, then says it
  copy FROM TO           copies a file with its mode
  mode OCTAL PATH        sets a file's mode
  try WHAT...            one line of JSON: `ok` or the error's name for each of
                         mount:PATH unshare-user clone-user reboot kexec_load bpf keyctl clock_settime
                         mknod:PATH:KIND:MAJOR:MINOR read:PATH write:PATH create:PATH
  count PATH...          one line of JSON: how many bytes (at most 4096) a file has, or
                         entries a directory, 0 where nothing is, or the error's name
  as USER PROGRAM [ARG...]
                         becomes a program, as that user and group
  crowd N                starts N processes that wait, says how many it could, and ends them
  run PROGRAM [ARG...]   runs a program and says how it ended
  store PATH BYTES       writes a file of so many bytes through to the disk
  spawn PROGRAM [ARG...] starts a program and does not wait for it
several commands, separated by `--`, run one after the other until one fails";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    for command in arguments.split(|a| a == "--") {
        match act::act(command) {
            Ok(0) => {}
            Ok(code) => return ExitCode::from(code),
            Err(reason) => {
                eprintln!("probe: {reason}\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}
