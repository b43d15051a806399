//! A container on a root file system of one busybox, cleared up whatever becomes of the test.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use podman_reference::{
    engine::supervise,
    monitor::{ExitRecord, Init, Launcher, MonitorError, RunDir, RunState, log},
    runtime::{ContainerSetup, Network, User, VolumeDirectories, cgroup_path},
    sys::{
        cgroup,
        process::Signal,
        wait::{Stop, Woken},
    },
};
use tempfile::TempDir;

/// A container of a test.
pub(crate) struct Fixture {
    pub(crate) setup: ContainerSetup,
    pub(crate) dir: RunDir,
    _home: TempDir,
}

impl Fixture {
    /// Will run a shell script.
    pub(crate) fn shell(script: &str) -> Self {
        Self::command(&["/bin/sh", "-c", script])
    }

    /// Will run a command.
    pub(crate) fn command(argv: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = tempfile::tempdir().unwrap();
        let setup = ContainerSetup {
            id: format!("test-{}-{number}", std::process::id()),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            env: vec!["PATH=/bin".into()],
            cwd: "/".into(),
            hostname: "inside".into(),
            rootfs: rootfs(home.path()),
            files: home.path().join("run"),
            volumes: VolumeDirectories::default(),
            user: User::default(),
            network: Network::None,
            labels: [].into(),
            settings: podman_reference::settings::Settings::default(),
            joins: Vec::new(),
        };
        let dir = RunDir::new(home.path().join("keep"), home.path().join("run"));
        Self {
            setup,
            dir,
            _home: home,
        }
    }

    pub(crate) fn start(&self) -> Result<Init, MonitorError> {
        supervise::start(launcher(), &self.dir, &self.setup)
    }

    /// Waits for the end of a run.
    pub(crate) fn wait(&self) -> ExitRecord {
        assert_eq!(self.dir.wait(&Stop::default()).unwrap(), Woken::Ready);
        match self.dir.state().unwrap() {
            RunState::Exited(exit) => exit,
            other => panic!("{other:?}"),
        }
    }

    /// Starts it, waits for its end, and gives the exit code.
    pub(crate) fn run(&self) -> i32 {
        self.start().unwrap();
        self.wait().code
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let mut reader = log::LogReader::open(&self.dir.log()).unwrap();
        let mut batch = log::Batch::default();
        let mut lines = Vec::new();
        while !reader.closing_batch(&mut batch).unwrap() {
            lines.extend(batch.lines().map(str::to_owned));
        }
        lines.extend(batch.lines().map(str::to_owned));
        lines
    }

    /// Starts it, waits for its end, and gives its output.
    pub(crate) fn output(&self) -> Vec<String> {
        self.run();
        self.lines()
    }

    /// Asserts that neither process nor cgroup nor mount is left.
    pub(crate) fn assert_nothing_left(&self) {
        let path = cgroup_path(&self.setup.id, &self.setup.settings.resources);
        for mount in &cgroup::Hierarchies::of_host().unwrap().mounts {
            let group = mount.join(path.strip_prefix("/").unwrap());
            assert!(!group.exists(), "{}", group.display());
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(
            !mounts.contains(self.setup.rootfs.to_str().unwrap()),
            "{mounts}"
        );
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            let mine = line.split('\0').any(|word| word == self.setup.id);
            assert!(!mine, "{} {line:?}", entry.path().display());
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Best effort, also after a failed assertion.
        let _ = self.dir.signal(Signal::KILL);
        let _ = cgroup::remove(&cgroup_path(&self.setup.id, &self.setup.settings.resources));
        let _ = self.dir.wait(&Stop::default());
        launcher().reap();
    }
}

/// Monitors of the tests run the program under test.
pub(crate) fn launcher() -> &'static Launcher {
    static LAUNCHER: OnceLock<Launcher> = OnceLock::new();
    LAUNCHER.get_or_init(|| Launcher::new(env!("CARGO_BIN_EXE_podman-reference")))
}

fn rootfs(home: &Path) -> PathBuf {
    let root = home.join("rootfs");
    for directory in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for applet in [
        "sh", "cat", "ls", "id", "sleep", "seq", "echo", "kill", "true", "hostname",
    ] {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    root
}
