//! Create's fields: volumes, tmpfs, image_volume_type, builtin_imgvolumes and shm_dir, and the image's VOLUME entries.

mod destination;
mod image;
mod place;
mod tmpfs;
mod volume;

use std::path::PathBuf;

use oci_spec::image::Config;

use crate::{
    engine::request::MountsRequest,
    settings::{Mounts, Source, Tmpfs, Volume},
    sys::layers::Layers,
};

/// A mount that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    /// The field, and what it says: how errors begin.
    said: String,
    /// Whether it is the image's: what the caller wants goes before.
    by_image: bool,
    destination: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Its destination is not known yet.
    Volume(Volume),
    /// Options of mount(8).
    Tmpfs(Vec<String>),
}

/// What was asked for, checked; the error names the field and the value. `lower` are the image's layers, uppermost first.
pub(super) fn check(
    request: &MountsRequest,
    config: &Config,
    lower: &[PathBuf],
) -> Result<Mounts, String> {
    if let Some(path) = &request.shm_dir {
        return Err(format!(
            "shm_dir: {path:?} is not mounted: give ipc_mode or resources.shm_size"
        ));
    }
    let mut wishes = Vec::new();
    for entry in &request.volumes {
        wishes.push(volume::wish(entry)?);
    }
    for entry in &request.tmpfs {
        wishes.push(tmpfs::wish(entry)?);
    }
    wishes.extend(image::wishes(request, config)?);
    if wishes.is_empty() {
        return Ok(Mounts::default());
    }
    let layers = Layers::open(lower.iter().map(PathBuf::as_path))
        .map_err(|error| format!("image: its layers cannot be read: {error}"))?;
    place::settle(wishes, &layers).map(mounts)
}

fn mounts(wishes: Vec<Wish>) -> Mounts {
    let mut mounts = Mounts::default();
    let mut own = 0;
    for wish in wishes {
        let destination = wish.destination;
        match wish.kind {
            Kind::Volume(mut volume) => {
                if let Source::Own(number) = &mut volume.source {
                    *number = own;
                    own += 1;
                }
                mounts.volumes.push(Volume {
                    destination,
                    ..volume
                });
            }
            Kind::Tmpfs(options) => mounts.tmpfs.push(Tmpfs {
                destination,
                options,
            }),
        }
    }
    mounts
}

impl Kind {
    /// A volume of the container's own.
    fn own() -> Self {
        Self::Volume(Volume {
            source: Source::Own(0),
            destination: PathBuf::new(),
            read_only: false,
            restrictions: Vec::new(),
            propagation: crate::settings::Propagation::Private,
        })
    }
}

/// The first word that stands in a list twice, or is there beside one that contradicts it.
fn contradiction<'w>(words: &[&'w str], groups: &[&[&str]]) -> Option<&'w str> {
    let group = |word: &str| {
        let name = word.split('=').next().unwrap_or(word);
        groups.iter().position(|group| group.contains(&name))
    };
    words.iter().enumerate().find_map(|(at, word)| {
        let mut earlier = words.iter().take(at);
        let meant = group(word)?;
        earlier
            .any(|other| group(other) == Some(meant))
            .then_some(*word)
    })
}
