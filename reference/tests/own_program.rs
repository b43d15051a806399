//! A container that gets hold of the engine's own program, which starts it, cannot change it.
#![cfg(target_arch = "x86_64")]
#![expect(clippy::unwrap_used)] // helpers of tests

mod served;

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use served::{Host, left, support, until};

/// Opens `/proc/self/exe`, keeps that descriptor, and becomes `busybox sh -c ". /attack"`:
///
/// ```text
///     lea rdi, exe;  xor esi, esi;  mov eax, 2;  syscall
///     xor edx, edx;  push rdx;  lea rax, script;  push rax;  lea rax, dash_c;  push rax;  lea rax, sh;  push rax
///     mov rsi, rsp;  lea rdi, busybox;  mov eax, 59;  syscall
///     mov edi, 99;  mov eax, 60;  syscall
/// exe:  "/proc/self/exe"  busybox:  "/bin/busybox"  sh:  "sh"  dash_c:  "-c"  script:  ". /attack"
/// ```
const LOADER: &[u8] = b"\x48\x8d\x3d\x41\x00\x00\x00\x31\xf6\xb8\x02\x00\x00\x00\x0f\x05\x31\xd2\x52\x48\x8d\x05\x50\x00\x00\x00\
    \x50\x48\x8d\x05\x45\x00\x00\x00\x50\x48\x8d\x05\x3a\x00\x00\x00\x50\x48\x89\xe6\x48\x8d\x3d\x22\x00\x00\x00\xb8\x3b\x00\x00\x00\
    \x0f\x05\xbf\x63\x00\x00\x00\xb8\x3c\x00\x00\x00\x0f\x05/proc/self/exe\0/bin/busybox\0sh\0-c\0. /attack\0";
const ELF_HEADER: u64 = 64;
const PROGRAM_HEADER: u64 = 56;

/// An ELF file that can be loaded anywhere, and has nothing but this code.
fn shared_object(code: &[u8]) -> Vec<u8> {
    let start = ELF_HEADER + PROGRAM_HEADER;
    let length = start + u64::try_from(code.len()).unwrap();
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
    for figure in [start, ELF_HEADER, 0] {
        file.extend(figure.to_le_bytes());
    }
    // Flags; sizes of the headers, and how many there are.
    file.extend([0; 4]);
    for figure in [64_u16, 56, 1, 64, 0, 0] {
        file.extend(figure.to_le_bytes());
    }
    // To be loaded, readable and executable, as a whole.
    file.extend(b"\x01\0\0\0\x05\0\0\0");
    for figure in [0, 0, 0, length, length, 0x1000] {
        file.extend(figure.to_le_bytes());
    }
    file.extend(code);
    file
}

/// Keeps the descriptor until nobody runs the program any more, then writes to it in two ways.
const ATTACK: &str = "busybox readlink /proc/self/fd/3 > /held; while ! test -e /go; do sleep 0.05; done; \
    (echo owned >> /proc/self/fd/3) 2>/dev/null && echo added > /r || echo kept > /r; \
    (echo owned > /proc/self/fd/3) 2>/dev/null && echo written >> /r || echo kept >> /r; busybox mv /r /result; exec sleep 1000";

/// What the runtime runs in the container is the engine's program, with a loader from the container's files. The loader keeps a
/// descriptor of the program and becomes something else.
#[test]
fn a_container_that_gets_hold_of_the_program_cannot_write_to_it() {
    let host = Host::new();
    let program = || fs::read(support::binary()).unwrap();
    let before = program();
    let mut request = served::request(&host.image, Some("attacker"), "");
    request["create"]["command"] = json!(["/start"]);
    let reply = host.call("CreateContainer", &request);
    let id = reply["container"].as_str().unwrap();
    let upper = host.root().join("containers").join(id).join("upper");
    symlink("/proc/self/exe", upper.join("start")).unwrap();
    fs::create_dir(upper.join("lib64")).unwrap();
    let loader = upper.join("lib64/ld-linux-x86-64.so.2");
    fs::write(&loader, shared_object(LOADER)).unwrap();
    fs::set_permissions(&loader, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(upper.join("attack"), ATTACK).unwrap();
    host.call("StartContainer", &json!({ "name": id }));

    let mut held = String::new();
    until("its descriptor", || {
        held = fs::read_to_string(upper.join("held")).unwrap_or_default();
        !held.is_empty()
    });
    assert!(held.contains("podman-reference"), "{held}");
    // What runs cannot be written to in any case, and a monitor runs the same program.
    for monitor in left::monitors(id) {
        kill(Pid::from_raw(monitor), Signal::SIGKILL).unwrap();
    }
    until("its monitor's end", || left::monitors(id).is_empty());
    File::create(host.runroot().join("mounts").join(id).join("go")).unwrap();
    until("its attempts", || upper.join("result").exists());
    assert_eq!(
        fs::read_to_string(upper.join("result")).unwrap(),
        "kept\nkept\n"
    );
    assert!(program() == before);

    // The next monitor runs the same copy of it.
    let next = host.run("echo fine; exec sleep 1000");
    until("its line", || host.log(&next) == ["fine"]);
    let monitor = *left::monitors(&next).first().unwrap();
    assert!(fs::read(format!("/proc/{monitor}/exe")).unwrap() == before);
}
