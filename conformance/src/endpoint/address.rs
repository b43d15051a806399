//! Where an endpoint is, and how to open a connection to it.

use std::{
    fmt, io,
    net::{TcpStream, ToSocketAddrs},
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
    str::FromStr,
};

use nix::{
    errno::Errno,
    sys::{
        socket::{
            AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket, sockopt,
        },
        time::{TimeVal, TimeValLike},
    },
};

use super::{Connection, Deadline};

/// A varlink address: `unix:PATH`, `unix:@NAME` or `tcp:HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Path(PathBuf),
    /// A socket in the abstract namespace.
    Abstract(String),
    /// A TCP port.
    Tcp {
        /// Name or number, an IPv6 number without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither `unix:` nor `tcp:`.
    #[error("{0:?} is not an address: expected unix:PATH, unix:@NAME or tcp:HOST:PORT")]
    Scheme(String),
    /// `unix:` without a path or name.
    #[error("{0:?} names no socket: expected a path or @NAME after unix:")]
    NoPath(String),
    /// `tcp:` without host and port.
    #[error("{0:?} has no host and port: expected tcp:HOST:PORT or tcp:[IPV6]:PORT")]
    NoPort(String),
}

/// Why no connection could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nothing accepts connections there.
    #[error("{address} does not accept connections: {source}")]
    Refused {
        /// The address.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
    /// The endpoint's queue stayed full, or the host did not answer.
    #[error("{address} did not accept a connection in time")]
    TimedOut {
        /// The address.
        address: Address,
    },
    /// The fault lies on this side.
    #[error("cannot open a connection to {address}: {source}")]
    Local {
        /// The address.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        // `;mode=0600` and the like tell a server how to create its socket.
        let plain = text.split_once(';').map_or(text, |(address, _)| address);
        if let Some(name) = plain.strip_prefix("unix:@").filter(|name| !name.is_empty()) {
            Ok(Self::Abstract(name.to_owned()))
        } else if let Some(path) = plain.strip_prefix("unix:") {
            match path {
                "" | "@" => Err(AddressError::NoPath(text.to_owned())),
                path => Ok(Self::Path(PathBuf::from(path))),
            }
        } else if let Some(place) = plain.strip_prefix("tcp:") {
            parse_tcp(place).ok_or_else(|| AddressError::NoPort(text.to_owned()))
        } else {
            Err(AddressError::Scheme(text.to_owned()))
        }
    }
}

fn parse_tcp(place: &str) -> Option<Address> {
    let (host, port) = place.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.is_empty()).then(|| Address::Tcp {
        host: host.to_owned(),
        port,
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

impl Address {
    /// Whether the endpoint must be on this host.
    pub fn is_local(&self) -> bool {
        !matches!(self, Self::Tcp { .. })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// Nothing listens there, nothing accepts before the deadline, or this side is out of resources.
    pub fn connect(&self, deadline: &Deadline<'_>) -> Result<Connection, ConnectError> {
        let opened = match self {
            Self::Path(path) => UnixAddr::new(path).map_err(io::Error::from),
            Self::Abstract(name) => {
                UnixAddr::new_abstract(name.as_bytes()).map_err(io::Error::from)
            }
            Self::Tcp { host, port } => {
                let opened = connect_tcp(host, *port, deadline);
                return self.finish(opened.map(OwnedFd::from));
            }
        };
        self.finish(opened.and_then(|address| connect_unix(&address, deadline)))
    }

    fn finish(&self, opened: io::Result<OwnedFd>) -> Result<Connection, ConnectError> {
        let address = self.clone();
        opened.map(Connection::new).map_err(|source| {
            match source.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EAGAIN | Errno::EINPROGRESS | Errno::ETIMEDOUT) => {
                    ConnectError::TimedOut { address }
                }
                Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS) => {
                    ConnectError::Local { address, source }
                }
                None if source.kind() == io::ErrorKind::TimedOut => {
                    ConnectError::TimedOut { address }
                }
                _ => ConnectError::Refused { address, source },
            }
        })
    }
}

fn connect_unix(address: &UnixAddr, deadline: &Deadline<'_>) -> io::Result<OwnedFd> {
    let fd = socket(
        AddressFamily::Unix,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // Linux bounds connect() by the send timeout; zero would mean no bound.
    let left = i64::try_from(deadline.left().as_micros())
        .unwrap_or(i64::MAX)
        .max(1000);
    setsockopt(&fd, sockopt::SendTimeout, &TimeVal::microseconds(left))?;
    loop {
        match connect(fd.as_raw_fd(), address) {
            Err(Errno::EINTR) => {}
            done => return done.map(|()| fd).map_err(io::Error::from),
        }
    }
}

fn connect_tcp(host: &str, port: u16, deadline: &Deadline<'_>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, deadline.left().max(MINIMUM)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// `connect_timeout` refuses zero.
const MINIMUM: std::time::Duration = std::time::Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("unix:/run/x", "unix:/run/x")]
    #[case("unix:/run/x;mode=0600", "unix:/run/x")]
    #[case("unix:@name", "unix:@name")]
    #[case("tcp:localhost:12345", "tcp:localhost:12345")]
    #[case("tcp:127.0.0.1:1;x=y", "tcp:127.0.0.1:1")]
    #[case("tcp:[::1]:80", "tcp:[::1]:80")]
    fn an_address_is_understood(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("/run/x", "expected unix:PATH")]
    #[case("http://host", "expected unix:PATH")]
    #[case("", "expected unix:PATH")]
    #[case("unix:", "names no socket")]
    #[case("unix:@", "names no socket")]
    #[case("unix:;mode=0600", "names no socket")]
    #[case("tcp:host", "no host and port")]
    #[case("tcp::80", "no host and port")]
    #[case("tcp:::1:80", "no host and port")]
    #[case("tcp:[::1:80", "no host and port")]
    #[case("tcp:host:http", "no host and port")]
    #[case("tcp:host:70000", "no host and port")]
    fn anything_else_is_refused_with_what_was_expected(#[case] text: &str, #[case] why: &str) {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
