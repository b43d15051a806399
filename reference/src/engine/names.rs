//! Names of containers: which are allowed, and made-up ones.

/// File names on Linux are at most 255 bytes long, and some add to a container's name.
const LONGEST: usize = 253;

const ADJECTIVES: [&str; 32] = [
    "able", "bold", "brave", "bright", "calm", "clever", "cosy", "daring", "eager", "fair", "fond",
    "frank", "gentle", "glad", "grand", "happy", "jolly", "keen", "kind", "lively", "lucky",
    "merry", "neat", "noble", "proud", "quick", "quiet", "sharp", "steady", "sunny", "warm",
    "wise",
];

const SURNAMES: [&str; 32] = [
    "abel", "bell", "bohr", "boole", "cantor", "cray", "curie", "darwin", "euclid", "euler",
    "fermat", "gauss", "goedel", "hamming", "hilbert", "hopper", "kepler", "knuth", "lamarr",
    "lovelace", "maxwell", "meitner", "mendel", "newton", "noether", "pascal", "planck", "ritchie",
    "shannon", "tesla", "turing", "wirth",
];

/// Why a text cannot be a container's name, if it cannot.
pub(super) fn check(name: &str) -> Result<(), String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if name.len() > LONGEST {
        return Err(format!("name {name:.40}... is longer than {LONGEST} bytes"));
    }
    if first && name.bytes().all(inner) {
        Ok(())
    } else {
        Err(format!(
            "name {name:?} is not made of letters, digits, '_', '.' and '-', with a letter or digit first"
        ))
    }
}

/// A name such as `brave_noether`, from random bytes; each further attempt adds more of them.
pub(super) fn made_up(random: &[u8], attempt: usize) -> String {
    let pick = |list: &[&'static str; 32], at: usize| {
        let index = random.get(at).copied().map_or(0, usize::from) % list.len();
        list.get(index).copied().unwrap_or("x")
    };
    let name = format!("{}_{}", pick(&ADJECTIVES, 0), pick(&SURNAMES, 1));
    if attempt == 0 {
        return name;
    }
    let digits: String = random
        .iter()
        .skip(2)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{name}_{digits:.0$}", (attempt * 2).min(8))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a")]
    #[case("9.x_Y-z")]
    #[case(&"a".repeat(253))]
    fn allowed(#[case] name: &str) {
        check(name).unwrap();
    }

    #[rstest]
    #[case("")]
    #[case("-a")]
    #[case(".a")]
    #[case("_a")]
    #[case("a b")]
    #[case("a/b")]
    #[case("a:b")]
    #[case("é")]
    #[case("a\n")]
    #[case(&"a".repeat(254))]
    fn refused(#[case] name: &str) {
        check(name).unwrap_err();
    }

    #[test]
    fn made_up_names_are_allowed() {
        for (bytes, attempt) in [([0; 6], 0), ([255; 6], 1), ([7; 6], 9)] {
            check(&made_up(&bytes, attempt)).unwrap();
        }
        assert_eq!(made_up(&[1, 2, 0xab, 1, 2, 3], 1), "bold_bohr_ab");
    }
}
