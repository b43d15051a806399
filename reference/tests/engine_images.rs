//! Images are imported, found by every form of their name, moved between names and removed, all or nothing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

mod host;

use std::fs;

use host::{Host, request};
use podman_reference::engine::EngineError;
use rstest::rstest;

#[test]
fn an_imported_image_is_listed_with_its_size_labels_and_complete_reference() {
    let host = Host::new();
    let id = host.import("a/b", &["LABEL=k=v"]).unwrap();
    let images = host.engine().images().unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].id, id);
    assert_eq!(images[0].repo_tags, ["localhost/a/b:latest"]);
    assert_eq!(images[0].labels["k"], "v");
    // The archive holds busybox and a few short text files.
    let busybox = i64::try_from(fs::metadata("/bin/busybox").unwrap().len()).unwrap();
    assert!(
        (busybox..busybox + 1024).contains(&images[0].size),
        "{}",
        images[0].size
    );
    assert!(images[0].created.parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn images_survive_the_daemon() {
    let mut host = Host::new();
    host.import("one", &["CMD=x"]).unwrap();
    host.import("two", &[]).unwrap();
    let before = host.engine().images().unwrap();
    host.reopen();
    assert_eq!(host.engine().images().unwrap(), before);
}

#[test]
fn images_of_one_archive_share_their_layer_until_the_last_is_removed() {
    let host = Host::new();
    host.import("one", &["CMD=x"]).unwrap();
    host.import("two", &["CMD=y"]).unwrap();
    let layers = || fs::read_dir(host.root().join("layers")).unwrap().count();
    assert_eq!((layers(), host.engine().images().unwrap().len()), (1, 2));
    host.engine().remove_image("one", false).unwrap();
    assert_eq!(layers(), 1);
    host.engine().remove_image("two", false).unwrap();
    assert_eq!(layers(), 0);
    assert_eq!(
        fs::read_dir(host.root().join("staging")).unwrap().count(),
        0
    );
}

#[test]
fn a_reference_moves_to_the_image_that_takes_it() {
    let mut host = Host::new();
    let first = host.import("one", &["CMD=x"]).unwrap();
    let second = host.import("one", &["CMD=y"]).unwrap();
    let names = |host: &Host, id: &str| {
        let images = host.engine().images().unwrap();
        images
            .into_iter()
            .find(|image| image.id == id)
            .unwrap()
            .repo_tags
    };
    assert!(names(&host, &first).is_empty());
    assert_eq!(names(&host, &second), ["localhost/one:latest"]);
    host.reopen();
    assert!(names(&host, &first).is_empty());
}

#[rstest]
#[case::reference("UPPER", &[], "UPPER")]
#[case::reference_with_blank("a b", &[], "a b")]
#[case::change("one", &["NOPE=1"], "NOPE=1")]
fn a_refused_import_names_what_is_wrong_and_makes_nothing(
    #[case] reference: &str,
    #[case] changes: &[&str],
    #[case] says: &str,
) {
    let host = Host::new();
    let error = host.import(reference, changes).unwrap_err();
    assert!(
        matches!(&error, EngineError::Refused(why) if why.contains(says)),
        "{error}"
    );
    assert!(host.engine().images().unwrap().is_empty());
}

#[rstest]
#[case::missing("/no/such/file")]
#[case::directory("/tmp")]
#[case::device("/dev/null")]
#[case::not_a_tar("/etc/passwd")]
#[case::relative("busybox.tar")]
#[case::url("http://localhost/busybox.tar")]
fn a_source_that_cannot_be_used_is_named(#[case] source: &str) {
    let host = Host::new();
    let error = host
        .engine()
        .import_image(source, Some("x"), None, &[])
        .unwrap_err();
    assert!(
        matches!(&error, EngineError::Refused(why) if why.contains(source)),
        "{error}"
    );
    for place in ["layers", "images", "staging"] {
        assert_eq!(
            fs::read_dir(host.root().join(place)).unwrap().count(),
            0,
            "{place}"
        );
    }
}

#[rstest]
#[case(
    "/no/such",
    r#"cannot import "/no/such": cannot open /no/such: No such file or directory (os error 2)"#
)]
#[case(
    "/proc/self/status",
    r#"cannot import "/proc/self/status": it is not a tar archive"#
)]
fn a_source_that_is_no_tar_is_named_with_the_reason(#[case] source: &str, #[case] says: &str) {
    let host = Host::new();
    let import = host.engine().import_image(source, None, None, &[]);
    assert_eq!(import.unwrap_err().to_string(), says);
}

#[test]
fn an_image_is_found_by_every_form_of_its_name() {
    let host = Host::new();
    let id = host.import("quay.io/x/one:1", &["CMD=true"]).unwrap();
    let forms = [
        id.clone(),
        format!("sha256:{id}"),
        id[..12].to_owned(),
        "quay.io/x/one:1".to_owned(),
        "x/one:1".to_owned(),
        "one:1".to_owned(),
    ];
    for form in forms {
        let mut wanted = request(&[]);
        wanted.image.clone_from(&form);
        let container = host.try_create(&wanted).unwrap();
        assert_eq!(
            host.engine().container(&container).unwrap().image_id,
            id,
            "{form}"
        );
    }
}

#[rstest]
#[case("one")]
#[case("one:2")]
#[case("ne:1")]
#[case("quay.io/one:1")]
#[case("ONE:1")]
#[case("")]
#[case("not a name")]
fn what_fits_no_image_is_not_found_under_the_callers_spelling(#[case] name: &str) {
    let host = Host::new();
    host.import("quay.io/x/one:1", &["CMD=true"]).unwrap();
    let mut wanted = request(&[]);
    wanted.image = name.to_owned();
    match host.try_create(&wanted).unwrap_err() {
        EngineError::ImageNotFound { name: spelling } => assert_eq!(spelling, name),
        other => panic!("{other}"),
    }
}

#[test]
fn a_short_name_of_two_images_is_ambiguous_and_acts_on_none() {
    let host = Host::new();
    host.import("x/one", &["CMD=a"]).unwrap();
    host.import("y/one", &["CMD=b"]).unwrap();
    let error = host.engine().remove_image("one", true).unwrap_err();
    assert!(error.to_string().contains("ambiguous"), "{error}");
    assert_eq!(host.engine().images().unwrap().len(), 2);
}

#[test]
fn one_of_several_names_is_taken_away_and_the_image_stays() {
    let host = Host::new();
    let id = host.import("one", &[]).unwrap();
    host.import("two", &["CMD=x"]).unwrap();
    assert_eq!(host.engine().remove_image(&id, false).unwrap(), id);
    assert_eq!(host.engine().images().unwrap().len(), 1);
}

#[test]
fn an_image_in_use_is_removed_by_force_alone_and_takes_its_containers_along() {
    let host = Host::new();
    let container = host.create("true");
    let error = host.engine().remove_image("busybox", false).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(host.engine().images().unwrap()[0].containers, 1);
    host.engine().container(&container).unwrap();
    host.engine().remove_image("busybox", true).unwrap();
    assert!(host.engine().containers().unwrap().is_empty());
    assert!(host.engine().images().unwrap().is_empty());
}

#[test]
fn the_same_reference_imported_at_once_by_many_ends_on_one_image() {
    let host = Host::new();
    host.import("seed", &[]).unwrap();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let host = &host;
            scope.spawn(move || host.import("one", &[&format!("CMD={number}")]).unwrap());
        }
    });
    let images = host.engine().images().unwrap();
    let holders = images
        .iter()
        .filter(|i| i.repo_tags.contains(&"localhost/one:latest".into()));
    assert_eq!((images.len(), holders.count()), (5, 1));
}

/// Imports busybox with an entry for the root directory itself: mode 0711, user 5, group 6.
fn import_with_a_root(host: &Host) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_path("./").unwrap();
    header.set_mode(0o711);
    header.set_uid(5);
    header.set_gid(6);
    header.set_mtime(1_600_000_000);
    header.set_size(0);
    header.set_cksum();
    let mut root = tar::Builder::new(Vec::new());
    root.append_pax_extensions([("SCHILY.xattr.user.note", &b"kept"[..])])
        .unwrap();
    root.append(&header, std::io::empty()).unwrap();
    let entry = root.get_ref().clone();
    let source = host.path("rooted.tar");
    fs::write(&source, [entry, host::busybox::archive()].concat()).unwrap();
    host.engine()
        .import_image(source.to_str().unwrap(), Some("rooted"), None, &[])
        .unwrap();
}

fn attribute(path: &std::path::Path) -> String {
    let mut value = [0_u8; 16];
    let length = rustix::fs::getxattr(path, "user.note", &mut value[..]).unwrap();
    String::from_utf8(value[..length].to_vec()).unwrap()
}

#[test]
fn the_root_directory_of_a_container_is_as_its_image_has_it_and_stays_so() {
    let host = Host::new();
    import_with_a_root(&host);
    let of = |image: &str, command: &[&str]| podman_reference::engine::CreateRequest {
        image: image.into(),
        ..request(command)
    };
    let look = ["busybox", "stat", "-c", "%a %u %g %Y", "/"];
    let id = host.try_create(&of("rooted", &look)).unwrap();
    let upper = |id: &str| host.root().join("containers").join(id).join("upper");
    assert_eq!(attribute(&upper(&id)), "kept");
    let unchanged = host.engine().container_changes(&id).unwrap();
    assert_eq!(unchanged, podman_reference::engine::Differences::default());
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    assert_eq!(host.log(&id), ["711 5 6 1600000000"]);

    let changes = ["sh", "-c", "busybox chmod 750 /"];
    let changed = host.try_create(&of("rooted", &changes)).unwrap();
    host.start(&changed);
    assert_eq!(host.wait(&changed), 0);
    let target = host.path("again.tar");
    let target = target.to_str().unwrap();
    host.engine().export_container(&changed, target).unwrap();
    let engine = host.engine();
    engine
        .import_image(target, Some("again"), None, &[])
        .unwrap();
    let id = host.try_create(&of("again", &look)).unwrap();
    assert_eq!(attribute(&upper(&id)), "kept");
    host.start(&id);
    assert_eq!(host.wait(&id), 0);
    assert!(
        host.log(&id)[0].starts_with("750 5 6 "),
        "{:?}",
        host.log(&id)
    );
}

#[test]
fn a_root_directory_that_the_archive_does_not_describe_can_be_entered_by_all() {
    let host = Host::new();
    assert_eq!(
        host.run("busybox stat -c '%a %u %g' /"),
        (0, vec!["755 0 0".into()])
    );
}
