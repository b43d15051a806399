//! What the methods do: decides, and asks store, runtime and monitor. Knows nothing of varlink.

use std::{
    ops::ControlFlow,
    os::fd::BorrowedFd,
    path::PathBuf,
    sync::{Arc, Mutex},
};

pub use crate::monitor::log::Batch as LogBatch;
use crate::{monitor::Launcher, store::Store};

mod adopt;
mod attach;
mod changes;
mod clock;
mod container;
mod containers;
mod create;
mod differences;
pub mod error;
mod export;
mod image;
mod images;
mod info;
pub mod inspect;
mod joins;
mod list;
mod logs;
mod names;
mod pause;
mod ports;
mod process;
mod processes;
mod reaper;
mod recover;
pub mod reference;
mod remove;
pub mod request;
mod signals;
mod start;
mod state;
mod stats;
mod stop;
mod summary;
pub mod supervise;
mod sync;
mod user;
mod watcher;
mod words;

pub use attach::AttachSockets;
pub use differences::Differences;
pub use error::{EngineError, with_causes};
pub use inspect::document::ContainerInspection;
pub use request::CreateRequest;
pub use summary::{
    ContainerStats, ContainerSummary, ImageSummary, Info, MountSummary, NamespaceSummary,
};

use container::Container;
use containers::Containers;
use image::Images;
use list::Freshness;
use reaper::Reaper;
use remove::Remover;
use sync::lock;
use watcher::Watcher;

/// Where the engine keeps things.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Images, containers and their records; survives a reboot.
    pub root: PathBuf,
    /// Mounts, pids and sockets; gone after a reboot.
    pub runroot: PathBuf,
}

/// What ends a long wait early: the caller's hang-up or the daemon's shutdown.
#[derive(Debug, Clone, Copy)]
pub struct Cancel<'a> {
    /// The caller's connection: POLLHUP or POLLERR means that nobody waits for the answer any more.
    pub peer: Option<BorrowedFd<'a>>,
    /// Readable once the daemon shuts down.
    pub shutdown: Option<BorrowedFd<'a>>,
}

/// The engine. Every method may be called from many threads at once.
///
/// Locks are taken in this order: containers, images, one container's state. None is held while something is waited for.
#[derive(Debug)]
pub struct Engine {
    // First, so that it is dropped first: the thread ends before the store's locks are let go.
    watcher: Watcher,
    // Then this one, for the same reason.
    reaper: Reaper,
    remover: Remover,
    store: Arc<Store>,
    images: Arc<Mutex<Images>>,
    containers: Arc<Mutex<Containers>>,
    launcher: Arc<Launcher>,
}

/// What an engine method answers.
pub type Result<T> = std::result::Result<T, EngineError>;

impl Engine {
    /// Opens root and runroot, takes the lock that keeps a second engine out, and adopts what runs.
    ///
    /// # Errors
    /// If another engine uses root or runroot, or they cannot be used. A damaged record is no error: it is set aside.
    pub fn open(config: &EngineConfig) -> Result<Self> {
        Self::open_with(config, Launcher::new("/proc/self/exe"))
    }

    /// Host and store, as they are now.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn info(&self) -> Result<Info> {
        self.describe()
    }

    /// Imports a tar on the server's disk (plain, gzip or zstd); returns the image's id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if the source, the reference or a change cannot be used; nothing is left behind.
    pub fn import_image(
        &self,
        source: &str,
        reference: Option<&str>,
        message: Option<&str>,
        changes: &[String],
    ) -> Result<String> {
        self.store.check()?;
        self.import(source, reference, message, changes)
    }

    /// All images.
    ///
    /// # Errors
    /// None at present.
    pub fn images(&self) -> Result<Vec<ImageSummary>> {
        Ok(self.list_images())
    }

    /// Takes a name away from an image, or removes it with its last name; `force` removes the containers that use it, too.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if containers use it, or an id names an image with several names, without `force`.
    pub fn remove_image(&self, name: &str, force: bool) -> Result<String> {
        self.store.check()?;
        self.remove_image_named(name, force)
    }

    /// Creates a container and returns its id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] with the field's name if one cannot be honoured; nothing is left behind.
    pub fn create_container(&self, request: &CreateRequest) -> Result<String> {
        self.store.check()?;
        self.create(request)
    }

    /// Returns once the container's program runs, with the container's id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it runs already or cannot be started; it then stays as it was.
    pub fn start_container(&self, name: &str) -> Result<String> {
        let container = self.find(name)?;
        self.store.check()?;
        self.start(&container)?;
        Ok(container.id())
    }

    /// Returns once the container does not run (any more), with its id. `timeout` in seconds; `None` takes the container's own.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if `timeout` is negative.
    pub fn stop_container(
        &self,
        name: &str,
        timeout: Option<i64>,
        cancel: Cancel<'_>,
    ) -> Result<String> {
        let container = self.find(name)?;
        stop::stop(&container, timeout, cancel)?;
        Ok(container.id())
    }

    /// Stops the container as [`Engine::stop_container`] does, starts it, and returns its id once its program runs.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if `timeout` is negative, or it cannot be started again.
    pub fn restart_container(
        &self,
        name: &str,
        timeout: Option<i64>,
        cancel: Cancel<'_>,
    ) -> Result<String> {
        let container = self.find(name)?;
        self.store.check()?;
        self.restart(&container, timeout, cancel)?;
        Ok(container.id())
    }

    /// Sends a signal to the container's first process and returns the container's id, for SIGKILL once it has stopped.
    /// `None` and -1 are SIGTERM.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if there is no such signal, or the container does not run.
    pub fn kill_container(&self, name: &str, signal: Option<i64>) -> Result<String> {
        let container = self.find(name)?;
        stop::kill(&container, signal)?;
        Ok(container.id())
    }

    /// Returns once none of the container's processes makes progress, with the container's id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it does not run, is paused already, or has a process that does not freeze; it then runs on.
    pub fn pause_container(&self, name: &str) -> Result<String> {
        let container = self.find(name)?;
        pause::pause(&container)?;
        Ok(container.id())
    }

    /// Lets a paused container go on, and returns its id.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it is not paused.
    pub fn unpause_container(&self, name: &str) -> Result<String> {
        let container = self.find(name)?;
        pause::unpause(&container)?;
        Ok(container.id())
    }

    /// Blocks until it has run and stopped; returns the exit code, -1 if nobody saw it.
    ///
    /// # Errors
    /// [`EngineError::ContainerNotFound`] if it is removed without having run.
    pub fn wait_container(&self, name: &str, cancel: Cancel<'_>) -> Result<i64> {
        let container = self.find(name)?;
        stop::wait(&container, name, cancel)
    }

    /// Removes a container and returns its id; with `force` it is killed first if it runs.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it runs, without `force`.
    pub fn remove_container(&self, name: &str, force: bool) -> Result<String> {
        let container = self.find(name)?;
        self.store.check()?;
        self.remove(&container, force)?;
        Ok(container.id())
    }

    /// Removes all containers that do not run and returns their ids; one that cannot be removed stays, and the log says why.
    ///
    /// # Errors
    /// [`EngineError::Runtime`] if the storage is gone.
    pub fn delete_stopped_containers(&self) -> Result<Vec<String>> {
        self.store.check()?;
        Ok(self.remove_stopped())
    }

    /// All containers, in whatever state.
    ///
    /// # Errors
    /// None at present.
    pub fn containers(&self) -> Result<Vec<ContainerSummary>> {
        let all = lock(&self.containers).all();
        let known = |container: &Arc<Container>| list::summary(container, Freshness::Known);
        Ok(all.iter().map(known).collect())
    }

    /// One container.
    ///
    /// # Errors
    /// [`EngineError::ContainerNotFound`], or [`EngineError::Refused`] if `name` is ambiguous.
    pub fn container(&self, name: &str) -> Result<ContainerSummary> {
        Ok(list::summary(&*self.find(name)?, Freshness::Measured))
    }

    /// All that is known of one container.
    ///
    /// # Errors
    /// [`EngineError::ContainerNotFound`], or [`EngineError::Refused`] if `name` is ambiguous.
    pub fn inspect_container(&self, name: &str) -> Result<ContainerInspection> {
        Ok(inspect::inspect(&*self.find(name)?))
    }

    /// Writes a container's files as a tar to `path`, an absolute path on the server's disk; a file there is replaced once the tar
    /// is whole.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if `path` cannot be used; nothing is then left of it.
    pub fn export_container(&self, name: &str, path: &str) -> Result<()> {
        let container = self.find(name)?;
        self.store.check()?;
        export::export(&self.store, &container, path)
    }

    /// What a container changed, added and deleted of its image's files.
    ///
    /// # Errors
    /// If its files cannot be read, or there is too much to tell.
    pub fn container_changes(&self, name: &str) -> Result<Differences> {
        let container = self.find(name)?;
        self.store.check()?;
        differences::list(&container)
    }

    /// The processes of a running or paused container, as the host's ps lists them: a line with the names of the columns, then a
    /// line for each. `options` are options of ps.
    ///
    /// # Errors
    /// [`EngineError::Refused`] if it does not run, or ps does not understand the options.
    pub fn container_processes(&self, name: &str, options: &[String]) -> Result<Vec<String>> {
        processes::list(&*self.find(name)?, options)
    }

    /// What a container uses now; all 0 if it does not run.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn container_stats(&self, name: &str) -> Result<ContainerStats> {
        stats::stats(&*self.find(name)?)
    }

    /// Hands over the log in batches of lines, none of them empty; with `follow`, until the container has stopped. Returns the
    /// lines after these, with `follow` those that were read after its end. `sink` says when to stop.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`] if `cancel` ended it, or the log cannot be read.
    pub fn container_logs(
        &self,
        name: &str,
        follow: bool,
        cancel: Cancel<'_>,
        sink: &mut dyn FnMut(&LogBatch) -> ControlFlow<()>,
    ) -> Result<LogBatch> {
        let container = self.find(name)?;
        if follow {
            // Its lines are read even if it goes once it has ended.
            let _hold = self.reaper.hold(&container);
            logs::follow(&container, cancel, sink)
        } else {
            logs::read(&container, sink)
        }
    }

    /// Where the sockets of a container are, or will be once it runs.
    ///
    /// # Errors
    /// [`EngineError::ContainerNotFound`], or [`EngineError::Refused`] if `name` is ambiguous.
    pub fn attach_sockets(&self, name: &str) -> Result<AttachSockets> {
        Ok((&*self.find(name)?).into())
    }

    fn find(&self, name: &str) -> Result<Arc<Container>> {
        lock(&self.containers).find(name)
    }
}
