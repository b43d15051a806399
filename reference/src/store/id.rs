//! Ids of stored objects: 64 lower-case hexadecimal digits, checked before any path is built from one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id of 64 lower-case hexadecimal digits: {0:?}")]
pub struct InvalidId(String);

fn check(text: &str) -> Result<(), InvalidId> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 64 && text.bytes().all(hexadecimal) {
        Ok(())
    } else {
        Err(InvalidId(text.chars().take(80).collect()))
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The 64 digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                check(text).map(|()| Self(text.to_owned()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                check(&text).map(|()| Self(text))
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id! {
    /// A container: random.
    ContainerId
}
id! {
    /// An image: the SHA-256 of its configuration.
    ImageId
}
id! {
    /// A layer: the SHA-256 of its uncompressed tar stream.
    LayerId
}

impl ContainerId {
    /// How many digits [`ContainerId::short`] has.
    pub const SHORT: usize = 32;

    /// The first half of the digits: 128 random bits, which no two containers share.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }

    /// A new one, from the kernel's random numbers.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0_u8; 32];
        rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
        Ok(Self(hexadecimal(&bytes)))
    }
}

impl ImageId {
    /// The id of the image with this configuration.
    #[must_use]
    pub fn of_config(config: &[u8]) -> Self {
        use sha2::Digest;
        Self(hexadecimal(&sha2::Sha256::digest(config)))
    }
}

impl LayerId {
    /// From a finished SHA-256.
    #[must_use]
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        Self(hexadecimal(digest))
    }

    /// As configurations name it: `sha256:` and the digits.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("sha256:{}", self.0)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::path("../../../../etc/passwd")]
    #[case::short("abc")]
    #[case::upper_case(&"A".repeat(64))]
    #[case::with_path(&format!("{}/..", "a".repeat(61)))]
    #[case::long(&"a".repeat(65))]
    fn what_is_not_64_lower_case_digits_is_refused(#[case] text: &str) {
        assert!(text.parse::<ContainerId>().is_err());
        assert!(serde_json::from_value::<LayerId>(text.into()).is_err());
    }

    #[test]
    fn random_ids_differ() {
        assert_ne!(
            ContainerId::random().unwrap(),
            ContainerId::random().unwrap()
        );
    }
}
