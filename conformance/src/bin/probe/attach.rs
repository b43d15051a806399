//! Talks to another container through the sockets of GetAttachSockets, by the C library that the standard library links anyway.
#![allow(unsafe_code)]

use std::{
    ffi::{c_int, c_ulong, c_void},
    fs::{File, OpenOptions},
    io::{self, Write},
    mem,
    os::{
        fd::{AsRawFd, FromRawFd},
        unix::fs::FileTypeExt,
    },
};

use crate::json::Json;

#[repr(C)]
struct Address {
    family: u16,
    path: [u8; 108],
}

#[repr(C)]
#[derive(Default)]
struct Size {
    rows: u16,
    columns: u16,
    pixels: [u16; 2],
}

unsafe extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn connect(fd: c_int, address: *const Address, length: u32) -> c_int;
    fn recv(fd: c_int, buffer: *mut c_void, length: usize, flags: c_int) -> isize;
    fn ioctl(fd: c_int, request: c_ulong, argument: *mut Size) -> c_int;
}

const AF_UNIX: c_int = 1;
const SOCK_STREAM: c_int = 1;
const SOCK_DGRAM: c_int = 2;
const SOCK_SEQPACKET: c_int = 5;
const TIOCGWINSZ: c_ulong = 0x5413;
/// One byte for the stream and at most so many of output.
const PACKET: usize = 8193;

/// Sends a line, and hears what comes until the end.
pub(crate) fn attach(path: &str, text: &str) -> Result<Json, String> {
    let mut socket = open_socket(path, SOCK_SEQPACKET).map_err(|e| format!("{path}: {e}"))?;
    socket
        .write_all(format!("{text}\n").as_bytes())
        .map_err(|e| format!("{path}: {e}"))?;
    let mut heard = [Vec::new(), Vec::new()];
    let mut packet = vec![0; PACKET + 1];
    loop {
        // SAFETY: the buffer has the length given.
        let got = unsafe {
            recv(
                socket.as_raw_fd(),
                packet.as_mut_ptr().cast(),
                packet.len(),
                0,
            )
        };
        let got = usize::try_from(got).map_err(|_| io::Error::last_os_error().to_string())?;
        let [stdout, stderr] = &mut heard;
        match packet.get(..got).and_then(<[u8]>::split_first) {
            None => break,
            Some(_) if got > PACKET => return Err("a packet is longer than 8193 bytes".into()),
            Some((2, output)) => stdout.extend_from_slice(output),
            Some((3, output)) => stderr.extend_from_slice(output),
            Some((other, _)) => return Err(format!("a packet begins with the byte {other}")),
        }
    }
    let [stdout, stderr] = heard.map(|bytes| Json::Text(String::from_utf8_lossy(&bytes).into()));
    Ok(Json::Object(vec![
        ("stdout".into(), stdout),
        ("stderr".into(), stderr),
    ]))
}

/// Sends a line to a FIFO or a socket.
pub(crate) fn tell(path: &str, text: &str) -> io::Result<()> {
    let mut file = if std::fs::metadata(path)?.file_type().is_socket() {
        open_socket(path, SOCK_SEQPACKET)
            .or_else(|_| open_socket(path, SOCK_STREAM))
            .or_else(|_| open_socket(path, SOCK_DGRAM))?
    } else {
        OpenOptions::new().write(true).open(path)?
    };
    file.write_all(format!("{text}\n").as_bytes())
}

/// Lines and columns of the terminal that is standard output.
pub(crate) fn terminal_size() -> Option<(u16, u16)> {
    let mut size = Size::default();
    // SAFETY: the kernel writes a winsize, which `Size` is.
    let done = unsafe { ioctl(1, TIOCGWINSZ, &raw mut size) };
    (done == 0).then_some((size.rows, size.columns))
}

fn open_socket(path: &str, kind: c_int) -> io::Result<File> {
    let mut address = Address {
        family: 1,
        path: [0; 108],
    };
    if path.len() >= address.path.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in address.path.iter_mut().zip(path.bytes()) {
        *to = from;
    }
    let length = u32::try_from(mem::size_of::<Address>()).unwrap_or_default();
    // SAFETY: plain numbers; the descriptor that comes back is nobody else's.
    let socket = unsafe {
        match socket(AF_UNIX, kind, 0) {
            -1 => return Err(io::Error::last_os_error()),
            fd => File::from_raw_fd(fd),
        }
    };
    // SAFETY: the address is a sockaddr_un of that length, its path terminated.
    match unsafe { connect(socket.as_raw_fd(), &raw const address, length) } {
        0 => Ok(socket),
        _ => Err(io::Error::last_os_error()),
    }
}
