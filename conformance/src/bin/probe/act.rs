//! The commands.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
    time::{Duration, Instant},
};

use crate::{attach, attempt, files, json::Json, report, signal};

/// Runs one command; returns its exit code, or why it could not be run.
pub(crate) fn act(words: &[String]) -> Result<u8, String> {
    let (name, arguments) = words.split_first().ok_or("no command")?;
    let argument = |n: usize| arguments.get(n).map(String::as_str);
    let required =
        |n: usize| argument(n).ok_or_else(|| format!("{name}: argument {} is missing", n + 1));
    match name.as_str() {
        "report" => line(&report::report(argument(0).unwrap_or("")).to_string()),
        "exit" => return number(required(0)?),
        "say" => line(&arguments.join(" ")),
        "err" => written(writeln!(io::stderr(), "{}", arguments.join(" "))),
        "bytes" => raw(required(0)?),
        "hear" => hear(),
        "print" => print(number(required(0)?)?, argument(1).unwrap_or("line")),
        "cat" => copy(argument(0)),
        "sleep" => sleep(argument(0).map(number).transpose()?),
        "ignore" => ignore(arguments),
        "trap" => trap(required(0)?, number(required(1)?)?),
        "ticks" => ticks(number(required(0)?)?),
        "spin" => spin(argument(0).map(number).transpose()?),
        "fill" => fill(number(required(0)?)?),
        "attach" => line(&attach::attach(required(0)?, required(1)?)?.to_string()),
        "talk" => talked(number(required(0)?)?),
        "size" => sized(number(required(0)?)?, number(required(1)?)?),
        "try" => line(&attempt::attempt(arguments)?.to_string()),
        "count" => line(&attempt::count(arguments).to_string()),
        "as" => run_as(required(0)?, arguments.get(1..).unwrap_or_default()),
        "run" => run(arguments),
        "spawn" => spawn(arguments),
        "crowd" => crowd(number(required(0)?)?),
        _ => change(name, arguments),
    }
    .map(|()| 0)
    .or_else(|failure| {
        if failure.is_empty() {
            Ok(1)
        } else {
            Err(failure)
        }
    })
}

/// The commands that change files, or read them.
fn change(name: &str, arguments: &[String]) -> Result<(), String> {
    let (path, rest) = arguments
        .split_first()
        .ok_or_else(|| format!("{name}: an unknown command, or its first argument is missing"))?;
    let to = || {
        rest.first()
            .ok_or_else(|| format!("{name}: argument 2 is missing"))
    };
    match name {
        "write" => file(fs::write(path, rest.join(" "))),
        "store" => file(store(path, number(to()?)?)),
        "read" => line(
            &fs::read_to_string(path)
                .map_or(Json::Null, Json::Text)
                .to_string(),
        ),
        "tell" => file(attach::tell(path, &rest.join(" "))),
        "delete" => file(delete(path)),
        "copy" => file(fs::copy(path, to()?).map(drop)),
        "mode" => file(mode(path, to()?)),
        "mkdir" => file(fs::create_dir(path)),
        "symlink" => file(std::os::unix::fs::symlink(path, to()?)),
        "hardlink" => file(fs::hard_link(path, to()?)),
        "stat" => line(&files::told(path).to_string()),
        _ => Err(format!("unknown command {name}")),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text} is not a number in range"))
}

/// A failed write means that nobody reads: nothing to say any more, and to nobody.
fn written(result: io::Result<()>) -> Result<(), String> {
    result.map_err(|_| String::new())
}

/// A failure of the file system is an answer, not a mistake in the call: it is said, and the exit code is 1.
fn file(result: io::Result<()>) -> Result<(), String> {
    result.or_else(|error| {
        written(writeln!(io::stderr(), "probe: {error}"))?;
        Err(String::new())
    })
}

fn line(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Bytes in hexadecimal digits.
fn raw(digits: &str) -> Result<(), String> {
    let byte = |at: usize| {
        let digits = digits.get(at..at + 2);
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    let bytes = bytes.ok_or_else(|| format!("{digits} is not in pairs of hexadecimal digits"))?;
    let mut out = io::stdout().lock();
    written(out.write_all(&bytes).and_then(|()| out.flush()))
}

/// Says a line of standard input on both streams.
fn hear() -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    let mut heard = String::new();
    file(io::stdin().read_line(&mut heard).map(drop))?;
    let heard = heard.trim_end();
    line(heard)?;
    written(writeln!(io::stderr(), "{heard}"))
}

fn print(count: u64, text: &str) -> Result<(), String> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    for n in 1..=count {
        written(writeln!(out, "{text} {n}"))?;
    }
    written(out.flush())
}

fn copy(path: Option<&str>) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let copied = match path {
        Some(path) => fs::File::open(path).and_then(|mut f| io::copy(&mut f, &mut out)),
        None => io::copy(&mut io::stdin().lock(), &mut out),
    };
    file(copied.and_then(|_| out.flush()))
}

fn sleep(seconds: Option<f64>) -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    match seconds {
        Some(seconds) => {
            std::thread::sleep(Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())?);
            Ok(())
        }
        None => signal::wait_for_ever(),
    }
}

fn ignore(names: &[String]) -> Result<(), String> {
    for name in names {
        signal::ignore(signal::number(name).ok_or_else(|| format!("unknown signal {name}"))?);
    }
    line("ready")?;
    signal::wait_for_ever()
}

fn trap(name: &str, code: u8) -> Result<(), String> {
    signal::exit_on(
        signal::number(name).ok_or_else(|| format!("unknown signal {name}"))?,
        code.into(),
    );
    line("ready")?;
    signal::wait_for_ever()
}

fn ticks(milliseconds: u64) -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    for n in 1_u64.. {
        line(&format!("tick {n}"))?;
        std::thread::sleep(Duration::from_millis(milliseconds));
    }
    Ok(())
}

fn spin(seconds: Option<f64>) -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    let started = Instant::now();
    while seconds.is_none_or(|s| started.elapsed().as_secs_f64() < s) {
        std::hint::spin_loop();
    }
    Ok(())
}

fn fill(bytes: usize) -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    let taken = vec![1_u8; bytes];
    line("filled")?;
    std::hint::black_box(&taken);
    signal::wait_for_ever()
}

fn sized(rows: u16, columns: u16) -> Result<(), String> {
    signal::exit_on(signal::number("TERM").ok_or("no SIGTERM")?, 143);
    while attach::terminal_size() != Some((rows, columns)) {
        std::thread::sleep(Duration::from_millis(20));
    }
    line(&format!("{rows} {columns}"))
}

fn store(path: &str, bytes: u64) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::copy(&mut io::Read::take(io::repeat(b'x'), bytes), &mut file)?;
    file.sync_all()
}

fn talked(bytes: u64) -> Result<(), String> {
    file(talk(bytes))?;
    line("talked")
}

/// Sends bytes to itself over the loopback device.
fn talk(bytes: u64) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut from = TcpStream::connect(listener.local_addr()?)?;
    let mut to = listener.accept()?.0;
    let sender = std::thread::spawn(move || {
        io::copy(&mut Read::take(io::repeat(b'x'), bytes), &mut from)?;
        from.shutdown(Shutdown::Write)
    });
    let received = io::copy(&mut to, &mut io::sink())?;
    match sender.join() {
        Ok(sent) if received == bytes => sent,
        _ => Err(io::Error::other("not all came back")),
    }
}

fn delete(path: &str) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

fn mode(octal: &str, path: &str) -> io::Result<()> {
    let mode = u32::from_str_radix(octal, 8).map_err(io::Error::other)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// In place of this process, so that the program's exit code is its own.
fn run_as(user: &str, words: &[String]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("as: no program")?;
    let user = number(user)?;
    let error = Command::new(program)
        .args(arguments)
        .uid(user)
        .gid(user)
        .exec();
    file(Err(error))
}

fn run(words: &[String]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("run: no program")?;
    match Command::new(program).args(arguments).status() {
        Ok(status) => line(&status.to_string()),
        Err(error) => line(&format!("not run: {error}")),
    }
}

/// Its output goes where this process's goes.
fn spawn(words: &[String]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("spawn: no program")?;
    file(Command::new(program).args(arguments).spawn().map(drop))
}

/// Starts this program `count` times, to wait, until the kernel refuses.
fn crowd(count: usize) -> Result<(), String> {
    let mut children: Vec<_> = (0..count)
        .map_while(|_| Command::new("/probe").arg("sleep").spawn().ok())
        .collect();
    let started = children.len();
    for child in &mut children {
        // One that has ended already needs no signal; it is collected either way.
        let _ = child.kill();
        let _ = child.wait();
    }
    line(&format!("started {started}"))
}
