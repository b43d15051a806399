//! Create's field: devices.

use std::path::{Component, Path, PathBuf};

use crate::{settings::Device, sys::nodes::Node};

/// Which letters there are: to read, to write, to make its node.
const ACCESS: &str = "rwm";

/// `HOST[:CONTAINER[:PERMISSIONS]]` each; the error names the field and the value.
pub(super) fn check(given: &[String]) -> Result<Vec<Device>, String> {
    let mut devices: Vec<Device> = Vec::with_capacity(given.len());
    for text in given {
        let refused = |why: &str| format!("devices: {text:?}: {why}");
        let device = read(text).map_err(|why| refused(&why))?;
        match devices
            .iter()
            .find(|other| other.container == device.container)
        {
            Some(other) if *other == device => {}
            Some(_) => return Err(refused("another one is at that path already")),
            None => devices.push(device),
        }
    }
    Ok(devices)
}

fn read(text: &str) -> Result<Device, String> {
    let mut parts = text.split(':');
    let host = parts.next().unwrap_or_default();
    let container = parts.next().filter(|path| !path.is_empty()).unwrap_or(host);
    let access = parts
        .next()
        .filter(|letters| !letters.is_empty())
        .unwrap_or(ACCESS);
    if parts.next().is_some() {
        return Err("it has more than three parts".into());
    }
    let letters = |letter| access.chars().filter(|one| *one == letter).count();
    if !access
        .chars()
        .all(|letter| ACCESS.contains(letter) && letters(letter) == 1)
    {
        return Err(format!(
            "{access:?} are not permissions of the letters {ACCESS}"
        ));
    }
    let host = PathBuf::from(host);
    if !host.is_absolute() {
        return Err("the host's path is not absolute".into());
    }
    match Node::at(&host) {
        Ok(Some(_)) => {}
        Ok(None) => return Err("the host has something else than a device there".into()),
        Err(error) => return Err(error.to_string()),
    }
    let container = place(container, &host)?;
    Ok(Device {
        host,
        container,
        access: access.into(),
    })
}

/// Where the container sees it. What masks its paths is /dev/null, which therefore stays itself.
fn place(path: &str, host: &Path) -> Result<PathBuf, String> {
    let path: PathBuf = Path::new(path).components().collect();
    let plain = |component| matches!(component, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || path.file_name().is_none() || !path.components().all(plain) {
        return Err("the container's path is not an absolute one of a file".into());
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err("the container's path holds a NUL".into());
    }
    if path == Path::new("/dev/null") && host != path {
        return Err("the container needs its /dev/null".into());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/dev/full", "/dev/full", "rwm")]
    #[case("/dev/full:/dev/a/b", "/dev/a/b", "rwm")]
    #[case("/dev/full:/dev//a/", "/dev/a", "rwm")]
    #[case("/dev/full:/else:wr", "/else", "wr")]
    #[case("/dev/full::r", "/dev/full", "r")]
    fn the_rest_has_defaults(#[case] text: &str, #[case] container: &str, #[case] access: &str) {
        let expected = Device {
            host: "/dev/full".into(),
            container: container.into(),
            access: access.into(),
        };
        assert_eq!(
            check(&[text.to_owned(), text.to_owned()]),
            Ok(vec![expected])
        );
    }

    #[rstest]
    #[case("")]
    #[case("dev/full")]
    #[case("/dev/no-such")]
    #[case("/etc/passwd")]
    #[case("/dev")]
    #[case("/dev/full:relative")]
    #[case("/dev/full:/")]
    #[case("/dev/full:/dev/../etc/x")]
    #[case("/dev/full:/dev/x:rx")]
    #[case("/dev/full:/dev/x:rr")]
    #[case("/dev/full:/dev/x:r:w")]
    #[case("/dev/zero:/dev/null")]
    fn what_cannot_be_honoured_is_refused(#[case] text: &str) {
        let error = check(&[text.to_owned()]).unwrap_err();
        assert!(
            error.starts_with("devices: ") && error.contains(text),
            "{error}"
        );
    }

    #[test]
    fn two_devices_at_one_path_are_refused() {
        let both = ["/dev/full:/dev/x", "/dev/zero:/dev/x"].map(str::to_owned);
        assert!(check(&both).unwrap_err().contains("/dev/zero:/dev/x"));
    }
}
