//! One daemon per socket, reached by those who may.
#![expect(clippy::unwrap_used)] // helpers of tests

mod support;

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
        process::CommandExt,
    },
    process::{Command, Output},
    sync::Arc,
    thread,
    time::Duration,
};

use nix::sys::signal::Signal;
use support::{Daemon, arguments, binary};
use tempfile::TempDir;

fn start_second(folder: &std::path::Path) -> Output {
    Command::new(binary())
        .args(arguments(folder))
        .output()
        .unwrap()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn socket_and_directory_are_for_their_owner_alone() {
    let daemon = Daemon::start();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&daemon.socket()), 0o600);
    assert_eq!(mode(daemon.socket().parent().unwrap()), 0o700);
}

#[test]
fn a_second_daemon_refuses_and_names_the_first() {
    let daemon = Daemon::start();
    let said = complaint(&start_second(daemon.folder.path()));
    assert!(
        said.contains(&format!(
            "is served by process {} already",
            daemon.child.id()
        )),
        "{said}"
    );
    daemon.connect().ping();
}

#[test]
fn a_dead_daemons_socket_is_replaced() {
    let mut first = Daemon::start();
    first.signal(Signal::SIGKILL);
    first.end();
    assert!(first.socket().exists());
    Daemon::start_in(&first.folder).connect().ping();
}

#[test]
fn another_programs_socket_is_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    let _other = UnixListener::bind(support::socket(folder.path())).unwrap();
    let said = complaint(&start_second(folder.path()));
    assert!(
        said.contains("is served by another process already"),
        "{said}"
    );
    assert!(support::socket(folder.path()).exists());
}

#[test]
fn what_is_not_a_socket_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("file"), "text").unwrap();
    symlink("file", run.join("socket")).unwrap();
    let said = complaint(&start_second(folder.path()));
    assert!(said.contains("it is not a socket"), "{said}");
    assert_eq!(fs::read_to_string(run.join("socket")).unwrap(), "text");
}

#[test]
fn of_many_daemons_started_at_once_one_serves() {
    let folder = TempDir::new().unwrap();
    let mut daemons: Vec<_> = (0..8)
        .map(|_| {
            Command::new(binary())
                .args(arguments(folder.path()))
                .spawn()
                .unwrap()
        })
        .collect();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let running = |daemons: &mut Vec<std::process::Child>| {
        daemons
            .iter_mut()
            .filter_map(|child| child.try_wait().unwrap().is_none().then_some(()))
            .count()
    };
    while running(&mut daemons) > 1 && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(running(&mut daemons), 1);
    support::Client::connect(&support::socket(folder.path())).ping();
    for mut daemon in daemons {
        let _ = daemon.kill();
        daemon.wait().unwrap();
    }
}

#[test]
fn a_relative_path_and_another_transport_are_refused() {
    for address in ["unix:run/socket", "tcp:127.0.0.1:1", "unix:"] {
        let output = Command::new(binary())
            .args(["serve", "--address", address])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}");
    }
}

/// Connects as a user without rights, sends a Ping, and prints what comes.
fn ping_as_nobody(daemon: &Daemon) -> Vec<u8> {
    fs::set_permissions(daemon.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let socket = daemon.socket();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
    let script = "my $s = IO::Socket::UNIX->new($ARGV[0]) or die $!; $SIG{PIPE} = 'IGNORE'; \
                  print $s qq({\"method\":\"io.projectatomic.podman.Ping\"}\\0); $s->flush; \
                  $s->shutdown(1); print <$s>;";
    let mut perl = Command::new("perl");
    perl.args(["-MIO::Socket::UNIX", "-MIO::Handle", "-e", script])
        .arg(&socket);
    let output = perl.uid(65534).gid(65534).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn another_user_is_closed_without_an_answer() {
    let daemon = Daemon::start();
    assert!(ping_as_nobody(&daemon).is_empty());
    daemon.connect().ping();
}

#[test]
fn an_allowed_user_is_answered() {
    let daemon = Daemon::start_with(|command| command.args(["--allow-uid", "65534"]));
    assert!(ping_as_nobody(&daemon).starts_with(b"{\"parameters\":{\"ping\""));
}

#[test]
fn an_abstract_socket_is_made_when_asked_for() {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    };
    let name = format!("podman-reference-test-{}", std::process::id());
    let folder = TempDir::new().unwrap();
    let mut arguments = arguments(folder.path());
    arguments[2] = format!("unix:@{name}");
    let mut command = Command::new(binary());
    command.args(&arguments);
    let _daemon = Daemon::spawn(command, TempDir::new().unwrap());
    let address = SocketAddr::from_abstract_name(name).unwrap();
    assert!(UnixStream::connect_addr(&address).is_ok());
    let said = complaint(&Command::new(binary()).args(&arguments).output().unwrap());
    assert!(
        said.contains("is served by another process already"),
        "{said}"
    );
}

/// A process that is being started inherits locks, and lets go of them once it executes its own program.
#[test]
fn what_a_killed_daemon_was_about_to_start_does_not_keep_the_next_one_out() {
    let folder = Arc::new(TempDir::new().unwrap());
    let locks: Vec<_> = ["run/socket.lock", "root/lock", "runroot/lock"]
        .map(|name| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = fs::File::create(path).unwrap();
            nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap()
        })
        .into();
    let socket = UnixListener::bind(support::socket(folder.path())).unwrap();
    let straggler = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop((locks, socket));
    });
    Daemon::start_in(&folder).connect().ping();
    straggler.join().unwrap();
}
