//! Whatever an image has for /etc/passwd and /etc/group: a container's user comes from inside it or is an error, soon.
#![expect(clippy::unwrap_used)] // helpers of tests

mod host;

use std::time::{Duration, Instant};

use host::{Host, NEVER, busybox, request};
use podman_reference::engine::CreateRequest;
use rstest::rstest;
use tar::{Builder, EntryType, Header};

const SOON: Duration = Duration::from_secs(5);

/// The busybox image with something else for a file.
fn archive(path: &str, kind: EntryType, link: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = busybox::archive();
    // Without the two empty blocks at its end, more entries can follow.
    bytes.truncate(bytes.len() - 1024);
    let mut builder = Builder::new(bytes);
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(u64::try_from(content.len()).unwrap());
    if link.is_empty() {
        builder.append_data(&mut header, path, content).unwrap();
    } else {
        builder.append_link(&mut header, path, link).unwrap();
    }
    builder.into_inner().unwrap()
}

fn host_with(archive: &[u8]) -> Host {
    let host = Host::new();
    std::fs::write(host.path("busybox.tar"), archive).unwrap();
    host
}

fn as_user(user: &str) -> CreateRequest {
    let mut request = request(&["id", "-u"]);
    request.security.user = Some(user.into());
    request
}

/// The uid that a process of this user has, or why it has none.
fn uid(host: &Host, user: &str) -> Result<String, String> {
    let id = host.try_create(&as_user(user)).map_err(|e| e.to_string())?;
    let started = Instant::now();
    let outcome = host
        .engine()
        .start_container(&id)
        .map_err(|e| e.to_string());
    assert!(started.elapsed() < SOON);
    outcome?;
    host.engine().wait_container(&id, NEVER).unwrap();
    Ok(host.log(&id).concat().trim_end().to_owned())
}

#[rstest]
#[case::fifo(EntryType::Fifo, "/etc/passwd")]
#[case::directory(EntryType::Directory, "/etc/passwd")]
fn what_is_no_file_is_an_error_that_names_it(#[case] kind: EntryType, #[case] named: &str) {
    let host = host_with(&archive("etc/passwd", kind, "", b""));
    let error = uid(&host, "ann").unwrap_err();
    assert!(error.contains(named), "{error}");
}

#[test]
fn a_link_leads_to_no_file_of_the_host() {
    let host = Host::new();
    let outside = host.path("passwd");
    std::fs::write(&outside, "ann:x:0:0::/:/bin/sh\n").unwrap();
    let link = outside.to_str().unwrap();
    let linked = archive("etc/passwd", EntryType::Symlink, link, b"");
    std::fs::write(host.path("busybox.tar"), linked).unwrap();
    let error = uid(&host, "ann").unwrap_err();
    assert!(error.contains("ann"), "{error}");
}

#[test]
fn of_a_huge_list_only_the_beginning_counts() {
    let mut list = [&[b'#'; 1023][..], b"\n"].concat().repeat(8 << 10);
    list.extend_from_slice(b"late:x:0:0::/:/bin/sh\n");
    let host = host_with(&archive("etc/passwd", EntryType::Regular, "", &list));
    assert!(uid(&host, "late").unwrap_err().contains("late"));
    assert_eq!(uid(&host, "7"), Ok("7".into()));
}

#[rstest]
#[case("1234", Ok("1234"))]
#[case("2147483648", Err("2147483648"))]
#[case("4294967296", Err("4294967296"))]
#[case("-1", Err("-1"))]
fn digits_are_never_a_name(#[case] user: &str, #[case] expected: Result<&str, &str>) {
    let list = ["1234", "2147483648", "4294967296", "-1"].map(|name| format!("{name}:x:0:0::/:\n"));
    let list = list.concat();
    let host = host_with(&archive(
        "etc/passwd",
        EntryType::Regular,
        "",
        list.as_bytes(),
    ));
    match (uid(&host, user), expected) {
        (Ok(uid), Ok(expected)) => assert_eq!(uid, expected),
        (Err(error), Err(named)) => assert!(error.contains(named), "{error}"),
        (outcome, _) => panic!("{outcome:?}"),
    }
}
