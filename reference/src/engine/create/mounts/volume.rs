//! Create's field: volumes.

use std::path::{Path, PathBuf};

use super::{Kind, Wish, contradiction, destination};
use crate::{
    settings::{Propagation, Source, Volume},
    sys::lsm,
};

/// The longest name of a file.
const LONGEST_NAME: usize = 255;

/// Words of which one rules the others out.
const GROUPS: [&[&str]; 6] = [
    &["ro", "rw"],
    &["nosuid"],
    &["nodev"],
    &["noexec"],
    &["z", "Z"],
    &[
        "private",
        "rprivate",
        "slave",
        "rslave",
        "shared",
        "rshared",
        "unbindable",
        "runbindable",
    ],
];

/// `[SOURCE:]DESTINATION[:OPTIONS]`. The error names field and entry.
pub(super) fn wish(entry: &str) -> Result<Wish, String> {
    let said = format!("volumes: {entry:?}");
    let refused = |why: String| format!("{said} {why}");
    let (source, to, options) = parts(entry).map_err(refused)?;
    let kind = match source {
        None => Kind::own(),
        Some(source) => Kind::Volume(volume(source, options).map_err(refused)?),
    };
    Ok(Wish {
        destination: destination::clean(to).map_err(refused)?,
        by_image: false,
        kind,
        said,
    })
}

type Parts<'e> = (Option<&'e str>, &'e str, Option<&'e str>);

fn parts(entry: &str) -> Result<Parts<'_>, String> {
    let parts: Vec<&str> = entry.split(':').collect();
    match parts[..] {
        [to] if to.starts_with('/') => Ok((None, to, None)),
        [from, to] => Ok((Some(from), to, None)),
        [from, to, options] => Ok((Some(from), to, Some(options))),
        _ => Err("is neither SOURCE:DESTINATION[:OPTIONS] nor an absolute path".into()),
    }
}

fn volume(source: &str, options: Option<&str>) -> Result<Volume, String> {
    let mut volume = Volume {
        source: from(source)?,
        destination: PathBuf::new(),
        read_only: false,
        restrictions: Vec::new(),
        propagation: Propagation::Private,
    };
    let words: Vec<&str> = options.into_iter().flat_map(|all| all.split(',')).collect();
    for word in &words {
        option(&mut volume, word)?;
    }
    match contradiction(&words, &GROUPS) {
        Some(word) => Err(format!(
            "has the option {word:?} beside one of the same meaning"
        )),
        None => Ok(volume),
    }
}

fn from(source: &str) -> Result<Source, String> {
    if source.starts_with('/') {
        let path = Path::new(source);
        return match path.metadata() {
            Ok(_) => Ok(Source::Host(path.to_owned())),
            Err(error) => Err(format!("has a SOURCE that cannot be used: {error}")),
        };
    }
    if is_name(source) {
        Ok(Source::Named(source.to_owned()))
    } else {
        Err("has a SOURCE that is neither an absolute path nor a volume's name".into())
    }
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, not longer than a file's name.
fn is_name(text: &str) -> bool {
    let further = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(further)
        && text.len() <= LONGEST_NAME
}

fn option(volume: &mut Volume, word: &str) -> Result<(), String> {
    match word {
        "rw" => {}
        "ro" => volume.read_only = true,
        "nosuid" | "nodev" | "noexec" => volume.restrictions.push(word.to_owned()),
        "private" | "rprivate" => volume.propagation = Propagation::Private,
        "slave" | "rslave" => volume.propagation = Propagation::Slave,
        "unbindable" | "runbindable" => volume.propagation = Propagation::Unbindable,
        "shared" | "rshared" => {
            return Err(
                "would have the container's mounts appear on the host, which is not supported"
                    .into(),
            );
        }
        "z" | "Z" if lsm::has_selinux() => {
            return Err("wants labels of SELinux, and none are set here".into());
        }
        "z" | "Z" => {}
        _ => return Err(format!("has an unknown option: {word:?}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parsed(entry: &str) -> (Volume, PathBuf) {
        let wish = wish(entry).unwrap();
        match wish.kind {
            Kind::Volume(volume) => (volume, wish.destination),
            Kind::Tmpfs(_) => panic!("a tmpfs"),
        }
    }

    #[rstest]
    #[case::host("/etc:/data", Source::Host("/etc".into()))]
    #[case::file("/etc/passwd:/data", Source::Host("/etc/passwd".into()))]
    #[case::named("a.B_c-1:/data", Source::Named("a.B_c-1".into()))]
    #[case::own("/data", Source::Own(0))]
    fn a_source_is_a_path_or_a_name(#[case] entry: &str, #[case] expected: Source) {
        let (volume, destination) = parsed(entry);
        assert_eq!(volume.source, expected);
        assert_eq!(destination, Path::new("/data"));
        assert!(!volume.read_only && volume.restrictions.is_empty());
        assert_eq!(volume.propagation, Propagation::Private);
    }

    #[test]
    fn options_are_words() {
        let (volume, _) = parsed("v:/data:ro,nosuid,noexec,rslave,z");
        assert!(volume.read_only);
        assert_eq!(volume.restrictions, ["nosuid", "noexec"]);
        assert_eq!(volume.propagation, Propagation::Slave);
    }

    #[rstest]
    #[case("xx")]
    #[case("")]
    #[case(":/data")]
    #[case("v:")]
    #[case("v:data")]
    #[case("v:/data:")]
    #[case("v:/data:ro:rw")]
    #[case("v:/data:ro,rw")]
    #[case("v:/data:ro,ro")]
    #[case("v:/data:slave,private")]
    #[case("v:/data:rshared")]
    #[case("v:/data:readonly")]
    #[case(".hidden:/data")]
    #[case("..:/data")]
    #[case("a/b:/data")]
    #[case("./a:/data")]
    #[case("/no-such-source:/data")]
    #[case("/etc/passwd/x:/data")]
    #[case("v:/proc/x")]
    fn other_text_is_refused_by_field_and_value(#[case] entry: &str) {
        let reason = wish(entry).unwrap_err();
        assert!(
            reason.starts_with(&format!("volumes: {entry:?} ")),
            "{reason}"
        );
    }

    #[test]
    fn a_name_is_not_longer_than_a_files() {
        assert!(is_name(&"a".repeat(255)));
        assert!(!is_name(&"a".repeat(256)));
    }
}
