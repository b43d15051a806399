//! Opening the engine: takes over what an earlier one left, whether it still runs, has ended or was left half done.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use super::{
    Engine, EngineConfig, EngineError, Result,
    container::{Container, run_dir},
    error::with_causes,
    image::{Image, Images},
    pause,
    reaper::Reaper,
    recover,
    remove::{Remover, sweep},
    start::namespaces,
    state::{Ended, Phase, Running},
    sync::lock,
    watcher::Watcher,
};
use crate::{
    monitor::{Launcher, RunDir},
    runtime::{started_cgroup, sweep_trials},
    store::{ContainerId, ContainerRecord, Contents, Damaged, LayerId, Store},
    sys::{cgroup, mount},
};

impl Engine {
    /// Like [`Engine::open`]; containers' monitors are processes of the program that `launcher` names.
    pub fn open_with(config: &EngineConfig, launcher: Launcher) -> Result<Self> {
        let (store, mut contents) = Store::open(&config.root, &config.runroot)?;
        mend(&store, &mut contents);
        let launcher = Arc::new(launcher);
        let images = images(&store, &contents)?;
        let remover = Remover {
            store: Arc::new(store),
            images: Arc::new(Mutex::new(images)),
            containers: Arc::default(),
        };
        let failed = || EngineError::failed("cannot watch containers");
        let reaper = Reaper::spawn(remover.clone()).map_err(failed())?;
        let watcher = Watcher::spawn(Arc::clone(&launcher), reaper.queue().cloned());
        let engine = Self {
            watcher: watcher.map_err(failed())?,
            reaper,
            store: Arc::clone(&remover.store),
            images: Arc::clone(&remover.images),
            containers: Arc::clone(&remover.containers),
            remover,
            launcher,
        };
        let unlisted = engine.settle_damaged(&contents.damaged)?;
        for record in contents.containers {
            if let Err(error) = engine.store.name_volumes(&record.id) {
                let error = with_causes(&error);
                tracing::warn!(
                    container = record.id.as_str(),
                    error,
                    "its new volumes have no names"
                );
            }
            engine.adopt(record);
        }
        engine.sweep_runroot(&unlisted)?;
        if let Err(error) = sweep_trials() {
            tracing::warn!(%error, "a cgroup of an earlier daemon stays");
        }
        engine.reap_what_ended();
        engine.launcher.warm_up();
        Ok(engine)
    }

    /// Has those removed that ended while nobody served, or by a reboot, and were not to be kept.
    fn reap_what_ended(&self) {
        let all = lock(&self.containers).all();
        for container in &all {
            if let Some(queue) = self.reaper.queue() {
                queue.consider(container);
            }
        }
    }

    /// Takes over one container.
    fn adopt(&self, record: ContainerRecord) {
        let layout = self.store.layout();
        let dir = run_dir(&record, layout);
        let state = recover::state(&dir, record.id.as_str());
        let last = Ended::of(&state).or_else(|| earlier(&dir));
        let container = Arc::new(Container::new(record, layout, last));
        lock(&self.images).add_use(&container.record.image_id);
        lock(&self.containers).insert(Arc::clone(&container));
        if let Some(init) = state.init() {
            let running = Running {
                namespaces: namespaces(init),
                init: init.clone(),
                motion: pause::found(&container),
            };
            container.set_phase(Phase::Running(Box::new(running)));
            lock(&container.usage).stale = true;
            self.watcher.watch(&container);
        } else {
            sweep(&container);
        }
    }

    /// Sets aside what is damaged, but for containers that run: they go on, with their files where they are, until they end or
    /// their record is mended. Returns these.
    fn settle_damaged(&self, damaged: &[Damaged]) -> Result<Vec<ContainerId>> {
        let mut unlisted = Vec::new();
        for one in damaged {
            let error = with_causes(&one.error);
            let container = one.container();
            let pids = match &container {
                Some(id) => self.members(id)?,
                None => String::new(),
            };
            if let Some(id) = container.as_ref().filter(|_| !pids.is_empty()) {
                tracing::warn!(error, pids, "a container that is not listed runs on");
                unlisted.push(id.clone());
                continue;
            }
            let moved_to = self.store.set_aside(one)?;
            tracing::warn!(error, moved_to = %moved_to.display(), "damaged files were set aside");
            if let Some(id) = &container {
                self.clear_run(id);
            }
        }
        if !unlisted.is_empty() {
            lock(&self.images).keep_layers();
        }
        Ok(unlisted)
    }

    /// The processes of a container, whatever its record says.
    fn members(&self, id: &ContainerId) -> Result<String> {
        let run = self.store.layout().run_directory(id);
        let members = cgroup::members(&started_cgroup(id.as_str(), &run))
            .map_err(EngineError::failed("cannot tell whether a container runs"))?;
        let pids: Vec<String> = members.iter().map(ToString::to_string).collect();
        Ok(pids.join(" "))
    }

    /// Clears up after a container whose record says nothing any more.
    fn clear_run(&self, id: &ContainerId) {
        let layout = self.store.layout();
        let dir = RunDir::new(layout.container(id), layout.run_directory(id));
        if let Err(error) = super::supervise::clear(&dir, id.as_str()) {
            let error = with_causes(&error);
            tracing::warn!(container = id.as_str(), error, "cannot clear up");
        }
    }

    /// Removes mounts and run directories that belong to no container.
    fn sweep_runroot(&self, unlisted: &[ContainerId]) -> Result<()> {
        let layout = self.store.layout();
        let mut known: HashSet<PathBuf> = lock(&self.containers)
            .all()
            .iter()
            .flat_map(|c| [c.mount_point.clone(), c.dir.run().to_owned()])
            .collect();
        let unlisted = unlisted.iter();
        known.extend(unlisted.flat_map(|id| [layout.mount_point(id), layout.run_directory(id)]));
        let failed = || EngineError::failed("cannot clear the run directory");
        for directory in [layout.mount_points(), layout.run_directories()] {
            for entry in std::fs::read_dir(&directory).map_err(failed())? {
                let path = entry.map_err(failed())?.path();
                if !known.contains(&path) {
                    sweep_directory(&path).map_err(failed())?;
                }
            }
        }
        Ok(())
    }
}

/// Makes up for damaged records of containers of which there is a copy.
fn mend(store: &Store, contents: &mut Contents) {
    for one in std::mem::take(&mut contents.damaged) {
        let error = with_causes(&one.error);
        match store.mend_container(&one) {
            Ok(Some(container)) => {
                let id = container.id.as_str();
                tracing::warn!(container = id, error, "a damaged record was made anew");
                contents.containers.push(container);
            }
            Ok(None) => contents.damaged.push(one),
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "a damaged record stays");
                contents.damaged.push(one);
            }
        }
    }
}

/// The end of the run before the one that is under way.
fn earlier(dir: &RunDir) -> Option<Ended> {
    match dir.last_exit() {
        Ok(record) => record.as_ref().map(Ended::from),
        Err(error) => {
            tracing::warn!(error = with_causes(&error), "an earlier end is not known");
            None
        }
    }
}

fn sweep_directory(path: &Path) -> std::io::Result<()> {
    mount::unmount_all(path)?;
    // A mount that could not be taken away must not be emptied.
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
            std::fs::remove_dir_all(path)
        }
        other => other,
    }
}

fn images(store: &Store, contents: &Contents) -> Result<Images> {
    let mut images = Images::default();
    for stored in &contents.images {
        match Image::new(stored) {
            Ok(image) => images.insert(image),
            Err(error) => {
                tracing::warn!(image = %stored.record.id, %error, "the configuration is malformed");
            }
        }
    }
    drop_double_tags(store, &mut images)?;
    if contents.damaged.is_empty() {
        let of_images = images.all().flat_map(|image| image.record.layers.iter());
        let of_containers = contents.containers.iter().flat_map(|c| c.layers.iter());
        let wanted: HashSet<LayerId> = of_images.chain(of_containers).cloned().collect();
        store.remove_other_layers(&wanted)?;
    }
    Ok(images)
}

/// A crash between two writes can leave a reference on two images: the later one has it.
fn drop_double_tags(store: &Store, images: &mut Images) -> Result<()> {
    let all: Vec<Arc<Image>> = images.all().cloned().collect();
    for image in &all {
        let lost = |tag: &crate::store::Tag| {
            let mut tags = all.iter().flat_map(|other| &other.record.tags);
            tags.any(|other| other.name == tag.name && other.since > tag.since)
        };
        if image.record.tags.iter().any(lost) {
            let mut changed = Image::clone(image);
            changed.record.tags.retain(|tag| !lost(tag));
            store.update_image(&changed.record)?;
            images.insert(changed);
        }
    }
    Ok(())
}
