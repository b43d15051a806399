//! The images in memory: found by id, reference, short name or prefix.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use oci_spec::image::ImageConfiguration;

use super::{
    EngineError, Result,
    reference::{Fit, Reference, Wanted},
};
use crate::store::{ImageId, ImageRecord, LayerId, StoredImage};

/// An image.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) record: ImageRecord,
    pub(super) config: ImageConfiguration,
}

impl Image {
    /// From what the store has; fails if the configuration does not parse.
    pub(super) fn new(stored: &StoredImage) -> std::result::Result<Self, serde_json::Error> {
        Ok(Self {
            record: stored.record.clone(),
            config: serde_json::from_slice(&stored.config)?,
        })
    }

    fn references(&self) -> impl Iterator<Item = Reference> {
        let tags = self.record.tags.iter();
        tags.filter_map(|tag| Reference::stored(&tag.name))
    }
}

/// An image, and the reference by which it was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) image: Arc<Image>,
    /// `None` if an id found it.
    pub(super) reference: Option<Reference>,
}

/// All images.
#[derive(Debug, Default)]
pub(super) struct Images {
    by_id: BTreeMap<ImageId, Arc<Image>>,
    /// How many containers there are of each.
    uses: HashMap<ImageId, u32>,
    /// Whether a container runs of which is not known what layers it has.
    layers_kept: bool,
}

impl Images {
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Image>> {
        self.by_id.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: &ImageId) -> Option<&Arc<Image>> {
        self.by_id.get(id)
    }

    pub(super) fn insert(&mut self, image: Image) {
        self.by_id.insert(image.record.id.clone(), Arc::new(image));
    }

    pub(super) fn remove(&mut self, id: &ImageId) {
        self.by_id.remove(id);
    }

    pub(super) fn uses(&self, id: &ImageId) -> u32 {
        self.uses.get(id).copied().unwrap_or(0)
    }

    pub(super) fn add_use(&mut self, id: &ImageId) {
        *self.uses.entry(id.clone()).or_default() += 1;
    }

    pub(super) fn remove_use(&mut self, id: &ImageId) {
        if let Some(uses) = self.uses.get_mut(id) {
            *uses = uses.saturating_sub(1);
        }
    }

    /// From here on no layer goes with its last image; the next start looks which are left over.
    pub(super) fn keep_layers(&mut self) {
        self.layers_kept = true;
    }

    /// Whether a layer belongs to any image, or must be taken to be in use.
    pub(super) fn needs_layer(&self, layer: &LayerId) -> bool {
        self.layers_kept || self.all().any(|image| image.record.layers.contains(layer))
    }

    /// The image that holds a reference.
    pub(super) fn holder(&self, reference: &str) -> Option<Arc<Image>> {
        let holds = |image: &&Arc<Image>| image.record.tags.iter().any(|t| t.name == reference);
        self.all().find(holds).cloned()
    }

    /// In this order: full id, full reference, short name, prefix of an id.
    pub(super) fn find(&self, name: &str) -> Result<Found> {
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        if !self.by_id.contains_key(digits)
            && let Some(found) = self.find_by_name(name)?
        {
            return Ok(found);
        }
        self.find_by_id(name)
    }

    /// The image of this name, of this id (in full or the only one that begins so), or of both.
    pub(super) fn asked_for(&self, name: &str, id: Option<&str>) -> Result<Found> {
        let Some(id) = id else {
            return self.find(name);
        };
        let by_id = self.find_by_id(id);
        if name.is_empty() {
            return by_id;
        }
        let by_name = self.find(name)?;
        match by_id {
            Ok(other) if other.image.record.id == by_name.image.record.id => Ok(by_name),
            Ok(_) => Err(EngineError::Refused(format!(
                "image_id: {id:?} is another image than {name:?}"
            ))),
            Err(error) => Err(EngineError::Refused(format!("image_id: {error}"))),
        }
    }

    fn find_by_id(&self, id: &str) -> Result<Found> {
        let digits = id.strip_prefix("sha256:").unwrap_or(id);
        match self.by_id.get(digits) {
            Some(image) => Ok(by_id(image)),
            None => self.find_by_prefix(id),
        }
    }

    fn find_by_name(&self, name: &str) -> Result<Option<Found>> {
        let wanted = Wanted::new(name);
        let mut short: Vec<Found> = Vec::new();
        for image in self.all() {
            for reference in image.references() {
                let found = || Found {
                    image: Arc::clone(image),
                    reference: Some(reference.clone()),
                };
                match wanted.fit(&reference) {
                    Some(Fit::Full) => return Ok(Some(found())),
                    Some(Fit::Short) => short.push(found()),
                    None => {}
                }
            }
        }
        let first = short.first().map(|found| found.image.record.id.clone());
        if short
            .iter()
            .any(|f| Some(&f.image.record.id) != first.as_ref())
        {
            let names: Vec<String> = short
                .iter()
                .filter_map(|found| Some(found.reference.as_ref()?.to_string()))
                .collect();
            return Err(EngineError::Refused(format!(
                "the image name {name:?} is ambiguous: it fits {}",
                names.join(", ")
            )));
        }
        Ok(short.into_iter().next())
    }

    fn find_by_prefix(&self, name: &str) -> Result<Found> {
        let mut fitting = prefixed(&self.by_id, name);
        match (fitting.next(), fitting.next()) {
            (Some(image), None) => Ok(by_id(image)),
            (Some(_), Some(_)) => Err(EngineError::Refused(format!(
                "the image id {name:?} is ambiguous: several begin with it"
            ))),
            (None, _) => Err(EngineError::ImageNotFound { name: name.into() }),
        }
    }
}

fn by_id(image: &Arc<Image>) -> Found {
    Found {
        image: Arc::clone(image),
        reference: None,
    }
}

/// What is stored under the ids that begin with `prefix`; nothing for an empty one.
pub(super) fn prefixed<'a, Id, T>(
    map: &'a BTreeMap<Id, T>,
    prefix: &'a str,
) -> impl Iterator<Item = &'a T>
where
    Id: std::borrow::Borrow<str> + Ord,
{
    map.range::<str, _>((
        std::ops::Bound::Included(prefix),
        std::ops::Bound::Unbounded,
    ))
    .take_while(move |(id, _)| (*id).borrow().starts_with(prefix))
    .filter(move |_| !prefix.is_empty())
    .map(|(_, value)| value)
}
