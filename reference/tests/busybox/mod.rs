//! A root file system of busybox, as a tar.
#![allow(unreachable_pub, clippy::unwrap_used)]

use std::fs;

const APPLETS: [&str; 18] = [
    "sh", "cat", "echo", "sleep", "kill", "id", "pwd", "env", "hostname", "true", "false", "ls",
    "dd", "mkdir", "rm", "seq", "test", "touch",
];

/// The archive.
pub fn archive() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let busybox = fs::read("/bin/busybox").unwrap();
    let mut add = |name: &str, kind: tar::EntryType, mode: u32, link: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_size(u64::try_from(content.len()).unwrap());
        if link.is_empty() {
            builder.append_data(&mut header, name, content).unwrap();
        } else {
            builder.append_link(&mut header, name, link).unwrap();
        }
    };
    let (directory, file) = (tar::EntryType::Directory, tar::EntryType::Regular);
    for name in ["bin/", "etc/", "dev/", "proc/", "sys/", "home/ann/"] {
        add(name, directory, 0o755, "", b"");
    }
    add("tmp/", directory, 0o1777, "", b"");
    add("bin/busybox", file, 0o755, "", &busybox);
    for applet in APPLETS {
        add(
            &format!("bin/{applet}"),
            tar::EntryType::Symlink,
            0o777,
            "busybox",
            b"",
        );
    }
    let passwd = b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:100::/home/ann:/bin/sh\n";
    add("etc/passwd", file, 0o644, "", passwd);
    let group = b"root:x:0:\nusers:x:100:\nwheel:x:10:ann\n";
    add("etc/group", file, 0o644, "", group);
    builder.into_inner().unwrap()
}
