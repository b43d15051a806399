//! CreateContainer: everything is checked first, then the container is written as a whole.

mod capabilities;
mod devices;
mod dns;
mod ids;
mod join;
mod lifecycle;
mod mounts;
mod namespaces;
mod network;
mod resources;
mod seccomp;
mod security;
mod security_opts;
mod stdio;
mod sysctls;

use std::{path::PathBuf, sync::Arc};

use oci_spec::image::Config;

use super::{
    CreateRequest, Engine, EngineError, Result,
    clock::Time,
    container::Container,
    image::{Found, Image},
    images::labels,
    names, process, signals,
    sync::lock,
};
use crate::{
    settings::{IdMappings, Namespace, Settings},
    store::{ContainerId, ContainerRecord, ImageId},
    sys::{
        kill_point::{self, Point},
        namespace::Kind,
        process::Signal,
        user_namespace::{self, Holder},
    },
};

/// Seconds between the stop signal and SIGKILL where nothing else was said.
const STOP_TIMEOUT: u32 = 10;

impl Engine {
    pub(super) fn create(&self, request: &CreateRequest) -> Result<String> {
        let found = self.image_to_use(request)?;
        let mut claim = Claim {
            engine: self,
            image: found.image.record.id.clone(),
            id: None,
            name: None,
            kept: false,
        };
        let id = ContainerId::random()
            .map_err(EngineError::failed("cannot make an id for the container"))?;
        claim.id = Some(id.clone());
        let mut request = request.clone();
        join::claim(&mut request, &id, &mut lock(&self.containers))?;
        let layers = found.image.record.layers.iter().rev();
        let lower: Vec<PathBuf> = layers
            .map(|layer| self.store.layout().layer_files(layer))
            .collect();
        let record = record(&request, &found, &lower, id).map_err(EngineError::Refused)?;
        if let Some(ids) = &record.settings.namespaces.ids {
            self.try_ids(ids).map_err(|why| {
                EngineError::Refused(format!("{}: {why}", ids::field(&request.namespaces)))
            })?;
        }
        self.create_claimed(claim, record)
    }

    fn create_claimed(&self, mut claim: Claim<'_>, mut record: ContainerRecord) -> Result<String> {
        record.name = self.claim_name(&record)?;
        claim.name = Some(record.name.clone());
        kill_point::reached(Point::CreateClaimed);
        self.store.add_container(&record)?;
        kill_point::reached(Point::CreateStored);
        let id = record.id.to_string();
        let container = Container::new(record, self.store.layout(), None);
        lock(&self.containers).insert(Arc::new(container));
        claim.kept = true;
        kill_point::reached(Point::CreateListed);
        Ok(id)
    }

    /// The image stays at least until the claim on it ends.
    fn image_to_use(&self, request: &CreateRequest) -> Result<Found> {
        let mut images = lock(&self.images);
        let found = images.asked_for(&request.image, request.image_id.as_deref())?;
        images.add_use(&found.image.record.id);
        Ok(found)
    }

    /// Whether this host can map ids, and those of files where the engine keeps them.
    fn try_ids(&self, ids: &IdMappings) -> std::result::Result<(), String> {
        let holder = Holder::new(&ids.maps_of_files(), &[]);
        let namespace = holder.and_then(|holder| holder.open(Kind::User));
        let namespace =
            namespace.map_err(|error| format!("the kernel does not take the ids: {error}"))?;
        let files = self.store.layout().root();
        user_namespace::mapped(files, &namespace)
            .map(drop)
            .map_err(|error| {
                let files = files.display();
                format!(
                    "the ids of files cannot be mapped in {files}: {error}: it takes Linux 5.19, and a file system with idmapped mounts"
                )
            })
    }

    fn claim_name(&self, record: &ContainerRecord) -> Result<String> {
        let mut containers = lock(&self.containers);
        if !record.name.is_empty() {
            containers.reserve(&record.name, &record.id)?;
            return Ok(record.name.clone());
        }
        for attempt in 0.. {
            let mut random = [0_u8; 8];
            rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty())
                .map_err(EngineError::failed("cannot make up a name"))?;
            let name = names::made_up(&random, attempt);
            if containers.name_is_free(&name) {
                containers.reserve(&name, &record.id)?;
                return Ok(name);
            }
        }
        Err(EngineError::Refused("no name is left".into()))
    }
}

/// What a container that is being created holds already; given back when it does not come to be.
struct Claim<'a> {
    engine: &'a Engine,
    image: ImageId,
    /// Under which other containers know it as a user of theirs.
    id: Option<ContainerId>,
    name: Option<String>,
    kept: bool,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Some(name) = &self.name {
            lock(&self.engine.containers).release(name);
        }
        if let Some(id) = &self.id {
            lock(&self.engine.containers).remove_user(id);
        }
        lock(&self.engine.images).remove_use(&self.image);
    }
}

/// The container that was asked for; its name is empty if none was given. `lower` are the image's layers, uppermost first. The error
/// names the field.
fn record(
    request: &CreateRequest,
    found: &Found,
    lower: &[PathBuf],
    id: ContainerId,
) -> std::result::Result<ContainerRecord, String> {
    let image: &Image = &found.image;
    let default = Config::default();
    let config = image.config.config().as_ref().unwrap_or(&default);
    let settings = settings(request, config, lower)?;
    let net_mode = network::mode(request.network.net_mode.as_deref())?;
    let uts = namespaces::uts(request.namespaces.uts_mode.as_deref())?;
    let hostname = hostname(request.hostname.as_deref(), net_mode, &uts, &id)?;
    let name = request.name.clone().unwrap_or_default();
    if !name.is_empty() {
        names::check(&name)?;
    }
    if request.labels.contains_key("") {
        return Err("labels: a key is empty".into());
    }
    let mut labels = labels(image);
    labels.extend(request.labels.clone());
    Ok(ContainerRecord {
        id,
        name,
        image: found
            .reference
            .as_ref()
            .map_or_else(|| image.record.id.to_string(), ToString::to_string),
        image_id: image.record.id.clone(),
        layers: image.record.layers.clone(),
        image_size: image.record.size,
        created: Time::now().nanoseconds(),
        process: process::resolve(request, config, &hostname)?,
        hostname,
        labels,
        net_mode: net_mode.to_owned(),
        stop_signal: stop_signal(request.stop_signal, config)?.get(),
        stop_timeout: stop_timeout(request.stop_timeout)?,
        settings,
    })
}

fn settings(
    request: &CreateRequest,
    image: &Config,
    lower: &[PathBuf],
) -> std::result::Result<Settings, String> {
    refuse_given(&[("pod", request.pod.is_some())])?;
    let namespaces = namespaces::check(&request.namespaces, request.resources.shm_size)?;
    let network = network::check(&request.network, image)?;
    let own = sysctls::Own {
        network: request.network.net_mode.as_deref() != Some("host") && network.container.is_none(),
        ipc: namespaces.ipc == Namespace::Private,
    };
    let mounts = mounts::check(&request.mounts, image, lower)?;
    let shared_memory = "a volume or a tmpfs is to be mounted at /dev/shm";
    if mounts.has("/dev/shm") && request.resources.shm_size.is_some() {
        return Err(format!("resources.shm_size: {shared_memory}"));
    }
    if mounts.has("/dev/shm") && namespaces.ipc != Namespace::Private {
        return Err(format!("ipc_mode: {shared_memory}"));
    }
    Ok(Settings {
        security: security::check(&request.security, own)?,
        resources: resources::check(&request.resources)?,
        namespaces,
        network,
        mounts,
        stdio: stdio::check(&request.stdio)?,
        lifecycle: lifecycle::check(&request.lifecycle)?,
    })
}

/// Refuses the first field that is given, by its name: what cannot be honoured must not be dropped.
fn refuse_given(fields: &[(&str, bool)]) -> std::result::Result<(), String> {
    match fields.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(format!("{field} is not supported yet")),
        None => Ok(()),
    }
}

fn hostname(
    given: Option<&str>,
    net_mode: &str,
    uts: &Namespace,
    id: &ContainerId,
) -> std::result::Result<String, String> {
    let of_host = *uts == Namespace::Host;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    match given.filter(|name| !name.is_empty()) {
        Some(name) if of_host => Err(format!(
            "hostname: {name:?}: with this uts_mode the host name is the host's own"
        )),
        Some(name) if name.len() <= 64 && name.bytes().all(valid) => Ok(name.into()),
        Some(name) => Err(format!(
            "hostname: {name:?} is not at most 64 letters, digits, '.' and '-'"
        )),
        None if of_host || net_mode == "host" => Ok(super::info::hostname()),
        None => Ok(id.as_str().chars().take(12).collect()),
    }
}

fn stop_signal(given: Option<i64>, image: &Config) -> std::result::Result<Signal, String> {
    match given {
        Some(number) => i32::try_from(number)
            .ok()
            .and_then(Signal::new)
            .ok_or_else(|| format!("stop_signal: {number} is not a signal from 1 to 64")),
        None => {
            let image = image.stop_signal().as_deref().and_then(signals::parse);
            Ok(image.unwrap_or(Signal::TERM))
        }
    }
}

fn stop_timeout(given: Option<i64>) -> std::result::Result<u32, String> {
    let Some(seconds) = given else {
        return Ok(STOP_TIMEOUT);
    };
    if seconds < 0 {
        return Err(format!("stop_timeout: {seconds} is negative"));
    }
    // A longer time than 136 years is that long.
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
}
