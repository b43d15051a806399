//! Standard streams: attached clients hear what the container says, and it hears them; a terminal is one.

use std::{
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, send, socket,
};
use podman_reference::settings::{Log, Stdio};

use crate::fixture::Fixture;

/// A client of the attach socket.
struct Client(OwnedFd);

impl Client {
    fn attach(fixture: &Fixture) -> Self {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).unwrap();
        let address = UnixAddr::new(&fixture.dir.attach()).unwrap();
        connect(fd.as_raw_fd(), &address).unwrap();
        Self(fd)
    }

    fn say(&self, text: &[u8]) {
        let sent = send(self.0.as_raw_fd(), text, MsgFlags::empty()).unwrap();
        assert_eq!(sent, text.len());
    }

    fn say_no_more(&self) {
        nix::sys::socket::shutdown(self.0.as_raw_fd(), nix::sys::socket::Shutdown::Write).unwrap();
    }

    /// What comes on a stream until it holds `text`, or the end.
    fn hear(&self, stream: u8, text: &str) -> String {
        let mut heard = Vec::new();
        let mut packet = [0; 8193];
        while !String::from_utf8_lossy(&heard).contains(text) {
            match recv(self.0.as_raw_fd(), &mut packet, MsgFlags::empty()).unwrap() {
                0 => break,
                n if packet[0] == stream => heard.extend(packet.iter().take(n).skip(1)),
                _ => {}
            }
        }
        String::from_utf8(heard).unwrap()
    }
}

fn shell(script: &str, stdio: Stdio) -> Fixture {
    let mut fixture = Fixture::shell(script);
    fixture.setup.settings.stdio = stdio;
    fixture
}

fn interactive() -> Stdio {
    Stdio {
        interactive: true,
        ..Stdio::default()
    }
}

fn terminal() -> Stdio {
    Stdio {
        terminal: true,
        ..interactive()
    }
}

#[test]
fn without_input_standard_input_is_at_its_end() {
    assert_eq!(Fixture::shell("cat; echo end").output(), ["end"]);
}

#[test]
fn what_a_client_sends_is_read_and_what_is_said_comes_by_stream() {
    let fixture = shell(
        "read a; read b; echo out $a; echo err $b >&2; read end",
        interactive(),
    );
    fixture.start().unwrap();
    let client = Client::attach(&fixture);
    client.say(b"one\ntw");
    client.say(b"o\n");
    assert_eq!(client.hear(2, "\n"), "out one\n");
    assert_eq!(client.hear(3, "\n"), "err two\n");
    client.say(b"\n");
    assert_eq!(
        client.hear(2, "never"),
        "",
        "the end of the container is the end of file"
    );
    assert_eq!(fixture.wait().code, 0);
    assert_eq!(fixture.lines(), ["out one", "err two"]);
}

#[test]
fn input_stays_open_when_a_client_leaves() {
    let fixture = shell("read a; read b; echo $a $b", interactive());
    fixture.start().unwrap();
    Client::attach(&fixture).say(b"one\n");
    let second = Client::attach(&fixture);
    second.say(b"two\n");
    second.say_no_more();
    assert_eq!(second.hear(2, "\n"), "one two\n");
    assert_eq!(fixture.wait().code, 0);
}

#[test]
fn a_container_that_does_not_read_loses_no_input_and_does_not_hold_up_its_monitor() {
    let fixture = shell(
        "echo ready; while [ ! -e /go ]; do sleep 0.02; done; busybox head -c 1000000 | busybox md5sum",
        interactive(),
    );
    fixture.start().unwrap();
    let client = Client::attach(&fixture);
    let packet = [b'x'; 50_000];
    let writer = std::thread::spawn(move || {
        for _ in 0..20 {
            client.say(&packet);
        }
        client
    });
    let other = Client::attach(&fixture);
    assert!(!other.0.as_raw_fd().is_negative());
    std::fs::write(fixture.setup.rootfs.join("go"), "").unwrap();
    let client = writer.join().unwrap();
    let sum = client.hear(2, "  -\n");
    // md5 of a million times `x`.
    assert!(
        sum.ends_with("ec78dbd963d2fc01e51176ed4dec299e  -\n"),
        "{sum}"
    );
}

#[test]
fn a_terminal_is_one_and_has_the_size_that_it_is_given() {
    let fixture = shell(
        "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && [ -c /dev/console ] && echo terminal; read a; busybox stty size; exit 3",
        terminal(),
    );
    fixture.start().unwrap();
    let client = Client::attach(&fixture);
    std::fs::write(fixture.dir.ctl(), "1 40 120\n").unwrap();
    while size(&fixture) != (40, 120) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    client.say(b"go\n");
    assert!(client.hear(2, "120").contains("40 120"));
    assert_eq!(fixture.wait().code, 3);
    let lines: Vec<String> = fixture.lines();
    let text = lines.join("");
    assert!(text.contains("terminal\r"), "{lines:?}");
    assert!(text.contains("40 120\r"), "{lines:?}");
}

/// Of the terminal of the container's first process.
fn size(fixture: &Fixture) -> (u16, u16) {
    let state = fixture.dir.state().unwrap();
    let pid = state.init().unwrap().process.pid;
    let tty = std::fs::File::open(format!("/proc/{pid}/fd/0")).unwrap();
    let size = rustix::termios::tcgetwinsize(tty).unwrap();
    (size.ws_row, size.ws_col)
}

#[test]
fn a_log_is_kept_where_it_was_asked_for_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Log::File(path.clone());
    let mut fixture = shell(
        "echo kept",
        Stdio {
            log: log.clone(),
            ..Stdio::default()
        },
    );
    fixture.dir = fixture.dir.clone().with_log(&log);
    assert_eq!(fixture.output(), ["kept"]);
    assert!(holds(&path, "kept"));

    let fixture = shell(
        "echo lost",
        Stdio {
            log: Log::None,
            ..Stdio::default()
        },
    );
    assert_eq!(fixture.output(), Vec::<String>::new());
}

fn holds(path: &Path, text: &str) -> bool {
    std::fs::read_to_string(path).unwrap().contains(text)
}
