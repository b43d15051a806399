//! Named points at which tests end the process, as if it were killed just there; without the feature `kill-points` they are nothing.

use std::process::Command;

#[cfg(all(feature = "kill-points", not(debug_assertions)))]
compile_error!("the feature `kill-points` is for tests: it lets a file end the program");

/// Names a file that holds the name of a point; for the daemon, which hands it on to the monitors.
pub const VARIABLE: &str = "PODMAN_REFERENCE_KILL_POINT";

macro_rules! points {
    ($($(#[$doc:meta])+ $point:ident = $name:literal,)+) => {
        /// What has just been done. The first word of a name is the operation, or the process, that is at work.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$doc])+ $point,)+
        }

        impl Point {
            /// All points.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// The layer is unpacked in the staging area.
    ImportUnpacked = "import.unpacked",
    /// Its record is beside it, and all is synced.
    ImportStaged = "import.staged",
    /// The layer is in the store, and no image has it.
    ImportLayerStored = "import.layer-stored",
    /// The image's files are in the staging area.
    ImportImageStaged = "import.image-staged",
    /// The image is in the store, and its name may be another one's, too.
    ImportImageStored = "import.image-stored",
    /// The name was taken from its earlier holder.
    ImportUntagged = "import.untagged",

    /// Limits were tried on a cgroup that is still there.
    CreateTried = "create.tried",
    /// Name and image are claimed.
    CreateClaimed = "create.claimed",
    /// There is a directory in the staging area.
    CreateStaged = "create.staged",
    /// It holds the writable layer.
    CreateLayered = "create.layered",
    /// It holds the volumes that are new, filled.
    CreateFilled = "create.filled",
    /// It holds the record.
    CreateRecorded = "create.recorded",
    /// The container is in the store, and its new volumes have no names yet.
    CreateCommitted = "create.committed",
    /// One of them has its name.
    CreateVolumeNamed = "create.volume-named",
    /// All of them have theirs.
    CreateStored = "create.stored",
    /// It can be found.
    CreateListed = "create.listed",

    /// The container is claimed.
    StartClaimed = "start.claimed",
    /// What an earlier run left is gone.
    StartCleared = "start.cleared",
    /// The directories are there.
    StartDirectories = "start.directories",
    /// The root filesystem is mounted.
    StartMounted = "start.mounted",
    /// The engine's files are written.
    StartFiles = "start.files",
    /// The configuration is written.
    StartConfigured = "start.configured",
    /// There is a monitor, which goes on by itself.
    StartSpawned = "start.spawned",
    /// It has told that the program runs.
    StartReported = "start.reported",
    /// The container counts as running.
    StartNoted = "start.noted",
    /// Its end will be noticed.
    StartWatched = "start.watched",

    /// The monitor is cut loose.
    MonitorBegun = "monitor.begun",
    /// It has recorded itself.
    MonitorRecorded = "monitor.recorded",
    /// Log and pipes are open.
    MonitorOpened = "monitor.opened",
    /// Process 1 is there and waits.
    MonitorCreated = "monitor.created",
    /// The record of the start is written and does not count yet.
    MonitorPrepared = "monitor.prepared",
    /// Attach socket and control FIFO are there.
    MonitorListening = "monitor.listening",
    /// The program runs.
    MonitorStarted = "monitor.started",
    /// The record of the start counts.
    MonitorStartRecorded = "monitor.start-recorded",
    /// The daemon was told.
    MonitorReported = "monitor.reported",

    /// Process 1 has ended and is collected.
    MonitorEnded = "monitor-end.collected",
    /// Cgroups and the runtime's state are gone.
    MonitorRemoved = "monitor-end.removed",
    /// The log is complete.
    MonitorLogged = "monitor-end.logged",
    /// The end is recorded.
    MonitorEndRecorded = "monitor-end.recorded",

    /// The program was asked to end.
    StopAsked = "stop.asked",
    /// It did not, in its time.
    StopTimedOut = "stop.timed-out",
    /// It was killed.
    StopKilled = "stop.killed",
    /// It has ended.
    StopOver = "stop.over",

    /// The monitor's end was noticed.
    EndNoticed = "end.noticed",
    /// The root filesystem is unmounted.
    EndUnmounted = "end.unmounted",
    /// The container counts as exited.
    EndNoted = "end.noted",

    /// The container is claimed.
    RemoveClaimed = "remove.claimed",
    /// What its last run left is gone.
    RemoveCleared = "remove.cleared",
    /// The root filesystem is unmounted.
    RemoveUnmounted = "remove.unmounted",
    /// The container is out of the store; its files are in the staging area.
    RemoveDiscarded = "remove.discarded",
    /// It cannot be found any more.
    RemoveForgotten = "remove.forgotten",
    /// Its files are gone.
    RemoveFinished = "remove.finished",

    /// It is known where a tar is about to be written.
    ExportNoted = "export.noted",
    /// There is an empty file beside the tar's place.
    ExportOpened = "export.opened",
    /// It holds the tar.
    ExportWritten = "export.written",
    /// The tar is in its place.
    ExportPlaced = "export.placed",

    /// The container's processes may freeze from now on, and nobody counts it as paused.
    PauseAsked = "pause.asked",
    /// They are frozen.
    PauseFrozen = "pause.frozen",
    /// The container counts as paused.
    PauseNoted = "pause.noted",
    /// Its processes go on, and it still counts as paused.
    UnpauseThawed = "unpause.thawed",

    /// The container has stopped, and is not started yet.
    RestartStopped = "restart.stopped",

    /// The image is out of the store, and its layers belong to nobody.
    ImageDiscarded = "remove-image.discarded",
    /// The layers are out of the store, too.
    ImageLayersDiscarded = "remove-image.layers-discarded",
}

/// Ends the process here if a test asked for it.
#[inline]
pub fn reached(point: Point) {
    #[cfg(feature = "kill-points")]
    armed::reached(point);
    #[cfg(not(feature = "kill-points"))]
    let _ = point;
}

/// Lets a child process know of the file.
pub fn hand_on(command: &mut Command) -> &mut Command {
    #[cfg(feature = "kill-points")]
    if let Some(file) = std::env::var_os(VARIABLE) {
        command.env(VARIABLE, file);
    }
    command
}

#[cfg(feature = "kill-points")]
mod armed {
    use nix::sys::signal::{Signal, kill};

    use super::{Point, VARIABLE};

    pub(super) fn reached(point: Point) {
        let named = std::env::var_os(VARIABLE).and_then(|file| std::fs::read_to_string(file).ok());
        if named.is_some_and(|name| name.trim() == point.name()) {
            let _ = kill(nix::unistd::getpid(), Signal::SIGKILL);
            // It is delivered before the call returns to a process with one thread, and else very soon.
            loop {
                std::thread::park();
            }
        }
    }
}
