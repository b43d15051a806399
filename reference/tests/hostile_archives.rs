//! An archive is unpacked inside its layer, whatever its entries say, and takes no more than the limits.
#![expect(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::{
    fs,
    io::Write,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use podman_reference::store::{Limits, Store};
use rstest::rstest;
use tar::{EntryType, Header};

/// An entry as raw as the format allows: no check of ours or of the `tar` crate looks at the name.
struct Raw<'a> {
    name: &'a str,
    kind: EntryType,
    link: &'a str,
    mode: u32,
    content: &'a [u8],
}

fn file<'a>(name: &'a str, content: &'a [u8]) -> Raw<'a> {
    Raw {
        name,
        kind: EntryType::Regular,
        link: "",
        mode: 0o644,
        content,
    }
}

fn link<'a>(kind: EntryType, name: &'a str, target: &'a str) -> Raw<'a> {
    Raw {
        link: target,
        kind,
        ..file(name, b"")
    }
}

fn directory(name: &str, mode: u32) -> Raw<'_> {
    Raw {
        kind: EntryType::Directory,
        mode,
        ..file(name, b"")
    }
}

fn header(entry: &Raw<'_>) -> Header {
    let mut header = Header::new_gnu();
    let gnu = header.as_gnu_mut().unwrap();
    gnu.name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
    gnu.linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
    header.set_entry_type(entry.kind);
    header.set_mode(entry.mode);
    header.set_mtime(1_000_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(u64::try_from(entry.content.len()).unwrap());
    header.set_cksum();
    header
}

fn archive(entries: &[Raw<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        builder.append(&header(entry), entry.content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A store, and beside it a directory that nothing may touch.
struct Fixture {
    folder: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let canary = folder.path().join("canary");
        fs::create_dir(&canary).unwrap();
        fs::set_permissions(&canary, fs::Permissions::from_mode(0o711)).unwrap();
        fs::write(canary.join("file"), "untouched").unwrap();
        let root = folder.path().join("root");
        let (store, _) = Store::open(&root, &folder.path().join("run")).unwrap();
        Self { folder, store }
    }

    fn canary(&self) -> PathBuf {
        self.folder.path().join("canary")
    }

    fn import(&self, bytes: &[u8]) -> Result<PathBuf, String> {
        self.import_with(bytes, Limits::STANDARD)
    }

    fn import_with(&self, bytes: &[u8], limits: Limits) -> Result<PathBuf, String> {
        let source = self.folder.path().join("source.tar");
        fs::write(&source, bytes).unwrap();
        let staged = self.store.stage_layer(&source, limits).map_err(full)?;
        let layer = self.store.commit_layer(staged).map_err(full)?;
        Ok(self.store.layout().layer_files(&layer.id))
    }

    fn assert_canary_untouched(&self) {
        let canary = self.canary();
        assert_eq!(fs::metadata(&canary).unwrap().mode() & 0o7777, 0o711);
        assert_eq!(fs::read_dir(&canary).unwrap().count(), 1);
        let file = canary.join("file");
        assert_eq!(fs::read_to_string(&file).unwrap(), "untouched");
        assert_eq!(fs::metadata(&file).unwrap().nlink(), 1);
    }

    fn assert_nothing_left(&self) {
        for place in ["root/staging", "root/layers"] {
            let left = fs::read_dir(self.folder.path().join(place))
                .unwrap()
                .count();
            assert_eq!(left, 0, "{place}");
        }
    }
}

fn full(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[rstest]
#[case::dotdot("../canary/new")]
#[case::dotdot_inside("a/../../../canary/new")]
#[case::absolute_dotdot("/../../canary/new")]
fn an_entry_that_climbs_out_is_refused_and_nothing_is_left(#[case] name: &str) {
    let fixture = Fixture::new();
    let error = fixture
        .import(&archive(&[file("fine", b"x"), file(name, b"x")]))
        .unwrap_err();
    assert!(error.contains(name) && error.contains(".."), "{error}");
    fixture.assert_canary_untouched();
    fixture.assert_nothing_left();
}

#[test]
fn an_absolute_name_counts_from_the_layers_root() {
    let fixture = Fixture::new();
    let name = format!("{}/new", fixture.canary().display());
    let files = fixture.import(&archive(&[file(&name, b"x")])).unwrap();
    fixture.assert_canary_untouched();
    assert!(files.join(name.trim_start_matches('/')).exists());
}

#[test]
fn a_link_as_parent_leads_inside_the_layer() {
    let fixture = Fixture::new();
    let canary = fixture.canary();
    let canary = canary.to_str().unwrap();
    for (target, name) in [
        ("/", "d/etc/new"),
        (canary, "d/file"),
        ("../../canary", "d/file"),
    ] {
        let bytes = archive(&[
            directory(&format!("{}/", canary.trim_start_matches('/')), 0o755),
            link(EntryType::Symlink, "d", target),
            file(name, b"overwritten"),
        ]);
        let result = fixture.import(&bytes);
        fixture.assert_canary_untouched();
        assert!(!Path::new("/etc/new").exists());
        if target == "/" {
            assert!(result.unwrap().join("etc/new").exists());
        }
    }
}

#[test]
fn a_magic_link_leads_nowhere() {
    let fixture = Fixture::new();
    let bytes = archive(&[
        link(EntryType::Symlink, "d", "/proc/self/cwd"),
        file("d/new", b"x"),
    ]);
    fixture.import(&bytes).unwrap_err();
    fixture.assert_nothing_left();
}

#[test]
fn a_directory_entry_replaces_a_link_and_leaves_its_target_alone() {
    let fixture = Fixture::new();
    let canary = fixture.canary();
    let bytes = archive(&[
        link(EntryType::Symlink, "d", canary.to_str().unwrap()),
        directory("d", 0o777),
    ]);
    let files = fixture.import(&bytes).unwrap();
    fixture.assert_canary_untouched();
    assert_eq!(
        fs::symlink_metadata(files.join("d")).unwrap().mode() & 0o7777,
        0o777
    );
}

#[rstest]
#[case::absolute("CANARY/file")]
#[case::through_a_link("d/file")]
fn a_hard_link_never_reaches_a_file_outside(#[case] target: &str) {
    let fixture = Fixture::new();
    let canary = fixture.canary();
    let canary = canary.to_str().unwrap();
    let bytes = archive(&[
        link(EntryType::Symlink, "d", canary),
        link(EntryType::Link, "stolen", &target.replace("CANARY", canary)),
        file("stolen", b"overwritten"),
    ]);
    fixture.import(&bytes).unwrap_err();
    fixture.assert_canary_untouched();
    fixture.assert_nothing_left();
}

#[test]
fn a_hard_link_to_a_link_is_not_followed_when_written() {
    let fixture = Fixture::new();
    let target = fixture.canary().join("file");
    let bytes = archive(&[
        link(EntryType::Symlink, "a", target.to_str().unwrap()),
        link(EntryType::Link, "b", "a"),
        file("b", b"overwritten"),
    ]);
    let files = fixture.import(&bytes).unwrap();
    fixture.assert_canary_untouched();
    assert_eq!(fs::read(files.join("b")).unwrap(), b"overwritten");
}

/// An archive with an entry of every kind.
fn every_kind_of_entry() -> Vec<u8> {
    let mut device = header(&link(EntryType::Char, "null", ""));
    device.set_device_major(1).unwrap();
    device.set_device_minor(3).unwrap();
    device.set_cksum();
    let mut owned = header(&Raw {
        mode: 0o4711,
        ..file("suid", b"x")
    });
    owned.set_uid(1000);
    owned.set_gid(1001);
    owned.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |header, content: &[u8]| builder.append(&header, content).unwrap();
    add(header(&directory("./", 0o750)), b"");
    add(header(&directory("./sticky/", 0o1777)), b"");
    add(header(&file("./sticky/inside", b"x")), b"x");
    add(device, b"");
    add(header(&link(EntryType::Fifo, "fifo", "")), b"");
    add(owned, b"x");
    add(header(&file("implied/parent/file", b"y")), b"y");
    add(header(&link(EntryType::Link, "hard", "suid")), b"");
    add(header(&link(EntryType::Symlink, "soft", "nowhere")), b"");
    add(header(&file(".wh.plain", b"")), b"");
    builder.into_inner().unwrap()
}

#[test]
fn every_kind_of_entry_comes_out_as_itself() {
    let fixture = Fixture::new();
    let files = fixture.import(&every_kind_of_entry()).unwrap();
    let stat = |name: &str| fs::symlink_metadata(files.join(name)).unwrap();
    assert_eq!(stat("").mode() & 0o7777, 0o750);
    assert_eq!(stat("sticky").mode() & 0o7777, 0o1777);
    assert_eq!(stat("sticky").mtime(), 1_000_000_000);
    assert_eq!(stat("sticky/inside").mtime(), 1_000_000_000);
    assert!(stat("null").file_type().is_char_device());
    assert_eq!(stat("null").rdev(), rustix::fs::makedev(1, 3));
    assert!(stat("fifo").file_type().is_fifo());
    assert_eq!(stat("suid").mode() & 0o7777, 0o4711);
    assert_eq!((stat("suid").uid(), stat("suid").gid()), (1000, 1001));
    assert_eq!(stat("implied").mode() & 0o7777, 0o755);
    assert_eq!(stat("hard").ino(), stat("suid").ino());
    assert_eq!(
        fs::read_link(files.join("soft")).unwrap(),
        Path::new("nowhere")
    );
    assert!(stat(".wh.plain").is_file());
}

#[test]
fn a_later_entry_replaces_an_earlier_one_of_another_kind() {
    let fixture = Fixture::new();
    let bytes = archive(&[
        directory("a/", 0o700),
        file("a/b/c", b"x"),
        file("a", b"now a file"),
        file("d", b"x"),
        directory("d/", 0o755),
    ]);
    let files = fixture.import(&bytes).unwrap();
    assert_eq!(fs::read(files.join("a")).unwrap(), b"now a file");
    assert!(files.join("d").is_dir());
}

#[test]
fn overlay_and_trusted_attributes_are_dropped_and_ordinary_ones_kept() {
    let fixture = Fixture::new();
    let mut builder = tar::Builder::new(Vec::new());
    let attributes = [
        ("SCHILY.xattr.trusted.overlay.opaque", &b"y"[..]),
        ("SCHILY.xattr.user.overlay.opaque", b"y"),
        ("SCHILY.xattr.trusted.other", b"y"),
        ("SCHILY.xattr.user.kept", b"value"),
        ("mtime", b"1700000000.5"),
    ];
    builder.append_pax_extensions(attributes).unwrap();
    builder.append(&header(&file("f", b"")), &b""[..]).unwrap();
    let files = fixture.import(&builder.into_inner().unwrap()).unwrap();
    let path = files.join("f");
    let mut names = vec![0_u8; 1024];
    let length = rustix::fs::listxattr(&path, &mut names[..]).unwrap();
    assert_eq!(&names[..length], b"user.kept\0");
    assert_eq!(fs::metadata(&path).unwrap().mtime_nsec(), 500_000_000);
}

#[test]
fn a_whiteout_device_makes_nothing() {
    let fixture = Fixture::new();
    let mut whiteout = header(&link(EntryType::Char, "gone", ""));
    whiteout.set_device_major(0).unwrap();
    whiteout.set_device_minor(0).unwrap();
    whiteout.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&whiteout, &b""[..]).unwrap();
    let files = fixture.import(&builder.into_inner().unwrap()).unwrap();
    assert!(!files.join("gone").exists());
}

#[rstest]
#[case::entries(Limits { entries: 2, ..Limits::STANDARD }, "2 entries")]
#[case::bytes(Limits { bytes: 4096, ..Limits::STANDARD }, "4096 bytes")]
fn an_archive_over_a_limit_is_refused_and_nothing_is_left(
    #[case] limits: Limits,
    #[case] says: &str,
) {
    let fixture = Fixture::new();
    let content = [b'x'; 3000];
    let bytes = archive(&[
        file("a", &content),
        file("b", &content),
        file("c", &content),
    ]);
    let error = fixture.import_with(&bytes, limits).unwrap_err();
    assert!(error.contains(says), "{error}");
    fixture.assert_nothing_left();
}

#[test]
fn a_small_compressed_archive_cannot_fill_the_disk() {
    let fixture = Fixture::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut bomb = header(&file("bomb", b""));
    bomb.set_size(64 << 20);
    bomb.set_cksum();
    encoder.write_all(bomb.as_bytes()).unwrap();
    let zeros = vec![0_u8; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let limits = Limits {
        bytes: 1 << 20,
        ..Limits::STANDARD
    };
    let error = fixture
        .import_with(&encoder.finish().unwrap(), limits)
        .unwrap_err();
    assert!(error.contains("1048576 bytes"), "{error}");
    fixture.assert_nothing_left();
}

#[test]
fn a_sparse_file_cannot_either() {
    let fixture = Fixture::new();
    let mut sparse = header(&link(EntryType::GNUSparse, "sparse", ""));
    let gnu = sparse.as_gnu_mut().unwrap();
    gnu.set_atime(0);
    gnu.realsize[..].copy_from_slice(b"77777777777\0");
    gnu.sparse[0].offset[..].copy_from_slice(b"77777777777\0");
    gnu.sparse[0].numbytes[..].copy_from_slice(b"00000000000\0");
    sparse.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&sparse, &b""[..]).unwrap();
    let limits = Limits {
        bytes: 1 << 20,
        ..Limits::STANDARD
    };
    fixture
        .import_with(&builder.into_inner().unwrap(), limits)
        .unwrap_err();
    fixture.assert_nothing_left();
}

#[test]
fn a_description_of_an_entry_that_would_fill_memory_is_refused() {
    let fixture = Fixture::new();
    let huge = vec![b'x'; 8 << 20];
    let long_name = Raw {
        kind: EntryType::GNULongName,
        ..file("././@LongLink", &huge)
    };
    let error = fixture
        .import(&archive(&[long_name, file("f", b"")]))
        .unwrap_err();
    assert!(error.contains("bytes of header"), "{error}");
}

/// What nobody should read in an error.
const SECRET: &[u8] = b"root:secret:0:0:secret:/root:/bin/secret\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A header whose checksum is right and whose size is no number.
fn bad_size() -> Vec<u8> {
    let mut header = header(&file("secret", b""));
    header.as_old_mut().size.copy_from_slice(b"secret:secre");
    header.set_cksum();
    header.as_bytes().to_vec()
}

const NO_TAR: &str = "it is not a tar archive";

#[rstest]
#[case::text(SECRET.repeat(20), NO_TAR)]
#[case::short_text(SECRET.to_vec(), NO_TAR)]
#[case::compressed_text(gzip(&SECRET.repeat(20)), NO_TAR)]
#[case::binary([b"\xff\xfesecret".repeat(100), vec![0; 512]].concat(), NO_TAR)]
#[case::bad_header(bad_size(), NO_TAR)]
#[case::bad_header_later([archive(&[file("f", b"x")])[..1024].to_vec(), bad_size()].concat(), "cut short or damaged after entry 1")]
#[case::text_later([archive(&[file("f", b"x")])[..1024].to_vec(), SECRET.repeat(20)].concat(), "cut short or damaged after entry 1")]
#[case::cut(archive(&[file("f", &SECRET.repeat(100))])[..2000].to_vec(), "cut short or damaged after entry 1")]
#[case::cut_gzip(gzip(&archive(&[file("f", SECRET)]))[..60].to_vec(), "cannot read it: ")]
#[case::broken_gzip([b"\x1f\x8b\x08\0\0\0".to_vec(), SECRET.repeat(20)].concat(), "cannot read it: ")]
#[case::broken_zstd([b"\x28\xb5\x2f\xfd".to_vec(), SECRET.repeat(20)].concat(), "cannot read it: ")]
#[case::bzip2(b"BZh91AY".to_vec(), "bzip2")]
#[case::xz(b"\xfd7zXZ\0".to_vec(), "xz")]
#[case::empty(vec![], "empty")]
fn what_is_no_archive_is_refused_and_not_shown(#[case] bytes: Vec<u8>, #[case] says: &str) {
    let fixture = Fixture::new();
    let error = fixture.import(&bytes).unwrap_err();
    assert!(error.contains(says), "{error}");
    assert!(!error.contains("secret"), "{error}");
    fixture.assert_nothing_left();
}

#[test]
fn gzip_and_zstd_are_found_by_their_first_bytes_and_name_the_same_layer() {
    let fixture = Fixture::new();
    let plain = archive(&[file("f", b"content")]);
    let layers = [
        fixture.import(&plain).unwrap(),
        fixture.import(&gzip(&plain)).unwrap(),
        fixture
            .import(&zstd::encode_all(&plain[..], 1).unwrap())
            .unwrap(),
    ];
    assert!(layers.iter().all(|layer| *layer == layers[0]));
    assert_eq!(fs::read(layers[0].join("f")).unwrap(), b"content");
}

#[test]
fn a_very_deep_tree_can_be_replaced() {
    let fixture = Fixture::new();
    let mut builder = tar::Builder::new(Vec::new());
    let deep = "d/".repeat(1500);
    builder
        .append_pax_extensions([("path", deep.as_bytes())])
        .unwrap();
    builder
        .append(&header(&directory("x", 0o755)), &b""[..])
        .unwrap();
    builder
        .append(&header(&file("d", b"x")), &b"x"[..])
        .unwrap();
    let files = fixture.import(&builder.into_inner().unwrap()).unwrap();
    assert!(files.join("d").is_file());
}
