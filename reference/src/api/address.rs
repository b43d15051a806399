//! Where to listen: `unix:PATH` or `unix:@NAME`.

use std::{fmt, path::PathBuf, str::FromStr};

use nix::sys::socket::UnixAddr;

/// The longest path or name of a Unix socket: its field has 108 bytes, one of which ends or begins it.
const NAME_BYTES: usize = 107;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket file.
    Path(PathBuf),
    /// A name in the kernel's abstract namespace; it has no file and no mode.
    Abstract(String),
}

/// Why a text is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// Another transport, or none.
    #[error("an address is unix:PATH or unix:@NAME")]
    Transport,
    /// Nothing after `unix:`.
    #[error("a path is missing after unix:")]
    Empty,
    /// A path that means another place after a change of directory.
    #[error("the path is not absolute")]
    Relative,
    /// The kernel's field is too short for it.
    #[error("the path is {length} bytes long, at most {NAME_BYTES} are possible")]
    TooLong {
        /// In bytes.
        length: usize,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let name = text.strip_prefix("unix:").ok_or(AddressError::Transport)?;
        // By the varlink protocol, what follows a semicolon is for others.
        let name = name.split(';').next().unwrap_or_default();
        let (name, is_abstract) = name
            .strip_prefix('@')
            .map_or((name, false), |name| (name, true));
        match name.len() {
            0 => Err(AddressError::Empty),
            length if length > NAME_BYTES => Err(AddressError::TooLong { length }),
            _ if is_abstract => Ok(Self::Abstract(name.to_owned())),
            _ if !name.starts_with('/') => Err(AddressError::Relative),
            _ => Ok(Self::Path(name.into())),
        }
    }
}

impl Address {
    /// As the kernel takes it.
    ///
    /// # Errors
    /// When the path is longer than the kernel's field.
    pub(crate) fn to_kernel(&self) -> nix::Result<UnixAddr> {
        match self {
            Self::Path(path) => UnixAddr::new(path),
            Self::Abstract(name) => UnixAddr::new_abstract(name.as_bytes()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(formatter, "unix:{}", path.display()),
            Self::Abstract(name) => write!(formatter, "unix:@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::path("unix:/run/a/b", Address::Path("/run/a/b".into()))]
    #[case::properties("unix:/run/a;mode=0660", Address::Path("/run/a".into()))]
    #[case::abstract_name("unix:@a", Address::Abstract("a".into()))]
    fn an_address_is_read(#[case] text: &str, #[case] expected: Address) {
        assert_eq!(text.parse(), Ok(expected.clone()));
        assert!(expected.to_kernel().is_ok());
    }

    #[rstest]
    #[case::other_transport("tcp:127.0.0.1:1", AddressError::Transport)]
    #[case::bare_path("/run/a", AddressError::Transport)]
    #[case::empty("unix:", AddressError::Empty)]
    #[case::only_properties("unix:;mode=0600", AddressError::Empty)]
    #[case::no_abstract_name("unix:@", AddressError::Empty)]
    #[case::relative("unix:a", AddressError::Relative)]
    fn what_is_no_address_is_refused(#[case] text: &str, #[case] expected: AddressError) {
        assert_eq!(text.parse::<Address>(), Err(expected));
    }

    #[test]
    fn the_longest_path_fits_and_a_longer_one_is_refused() {
        let text = format!("unix:/{}", "x".repeat(NAME_BYTES - 1));
        assert!(text.parse::<Address>().unwrap().to_kernel().is_ok());
        assert_eq!(
            (text + "x").parse::<Address>(),
            Err(AddressError::TooLong { length: 108 })
        );
    }
}
