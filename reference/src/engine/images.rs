//! ImportImage, ListImages, RemoveImage.

use std::{collections::BTreeMap, path::Path};

use oci_spec::image::{Arch, Config, HistoryBuilder, ImageConfiguration, Os};

use super::{
    Engine, EngineError, ImageSummary, Result, changes,
    clock::Time,
    error::with_causes,
    image::{Image, Images},
    reference::Reference,
    sync::lock,
};
use crate::{
    store::{Discarded, ImageId, ImageRecord, LayerRecord, Limits, StoreError, StoredImage, Tag},
    sys::kill_point::{self, Point},
};

/// The comment of an imported image that came without a message.
const IMPORTED: &str = "imported from a tar archive";

impl Engine {
    pub(super) fn import(
        &self,
        source: &str,
        reference: Option<&str>,
        message: Option<&str>,
        instructions: &[String],
    ) -> Result<String> {
        let reference = reference
            .filter(|text| !text.is_empty())
            .map(Reference::to_write)
            .transpose()
            .map_err(|error| EngineError::Refused(error.to_string()))?;
        let mut config = Config::default();
        changes::apply(&mut config, instructions)
            .map_err(|error| EngineError::Refused(error.to_string()))?;
        let refused = |why: &str| EngineError::Refused(format!("cannot import {source:?}: {why}"));
        if !source.starts_with('/') {
            return Err(refused("give an absolute path on the server's disk"));
        }
        let staged = match self.store.stage_layer(Path::new(source), Limits::STANDARD) {
            Ok(staged) => staged,
            Err(StoreError::Archive(error)) => return Err(refused(&with_causes(&error))),
            Err(error) => return Err(error.into()),
        };
        let comment = message.filter(|text| !text.is_empty()).unwrap_or(IMPORTED);
        let config = configuration(config, staged.record(), comment)?;
        let mut images = lock(&self.images);
        let layer = self.store.commit_layer(staged)?;
        kill_point::reached(Point::ImportLayerStored);
        let image = stored(&config, &layer)?;
        self.add_image(&mut images, image, reference.as_ref())
    }

    /// Adds an image under a reference, which an earlier holder loses.
    fn add_image(
        &self,
        images: &mut Images,
        mut image: StoredImage,
        reference: Option<&Reference>,
    ) -> Result<String> {
        let known = images.get(&image.record.id);
        let mut tags = known
            .map(|known| known.record.tags.clone())
            .unwrap_or_default();
        let name = reference.map(ToString::to_string);
        if let Some(name) = &name {
            tags.retain(|tag| tag.name != *name);
            tags.push(Tag {
                name: name.clone(),
                since: Time::now().nanoseconds(),
            });
        }
        image.record.tags = tags;
        let id = image.record.id.clone();
        let parsed =
            Image::new(&image).map_err(EngineError::failed("the new image is malformed"))?;
        self.store.add_image(&image)?;
        kill_point::reached(Point::ImportImageStored);
        let earlier = name.as_deref().and_then(|name| images.holder(name));
        images.insert(parsed);
        match (earlier, name) {
            (Some(earlier), Some(name)) if earlier.record.id != id => {
                self.untag(images, &earlier, &name)?;
                kill_point::reached(Point::ImportUntagged);
            }
            _ => {}
        }
        Ok(id.into())
    }

    fn untag(&self, images: &mut Images, image: &Image, name: &str) -> Result<()> {
        let mut changed = image.clone();
        changed.record.tags.retain(|tag| tag.name != name);
        self.store.update_image(&changed.record)?;
        images.insert(changed);
        Ok(())
    }

    pub(super) fn list_images(&self) -> Vec<ImageSummary> {
        let images = lock(&self.images);
        images
            .all()
            .map(|image| summary(image, images.uses(&image.record.id)))
            .collect()
    }

    pub(super) fn remove_image_named(&self, name: &str, force: bool) -> Result<String> {
        let id = {
            let mut images = lock(&self.images);
            let found = images.find(name)?;
            let id = found.image.record.id.clone();
            let tags = found.image.record.tags.len();
            match found.reference {
                Some(reference) if tags > 1 => {
                    self.untag(&mut images, &found.image, &reference.to_string())?;
                    return Ok(id.into());
                }
                None if tags > 1 && !force => {
                    return Err(EngineError::Refused(format!(
                        "image {id} has {tags} references: remove it by each of them, or by force"
                    )));
                }
                _ => {}
            }
            if !force || images.uses(&id) == 0 {
                let discarded = self.take_image(&mut images, &id)?;
                drop(images);
                finish(discarded);
                return Ok(id.into());
            }
            id
        };
        self.remove_containers_of(&id)?;
        let mut images = lock(&self.images);
        let discarded = self.take_image(&mut images, &id)?;
        drop(images);
        finish(discarded);
        Ok(id.into())
    }

    fn remove_containers_of(&self, image: &ImageId) -> Result<()> {
        // Apart from the loop, for whose length the lock would be held otherwise.
        let containers = lock(&self.containers).users_first();
        for container in containers {
            if container.record.image_id == *image {
                self.remove(&container, true)?;
            }
        }
        Ok(())
    }

    /// Takes an image out of the store, and the layers that only it had.
    fn take_image(&self, images: &mut Images, id: &ImageId) -> Result<Vec<Discarded>> {
        let Some(image) = images.get(id).cloned() else {
            return Err(EngineError::ImageNotFound {
                name: id.as_str().into(),
            });
        };
        let uses = images.uses(id);
        if uses > 0 {
            return Err(EngineError::Refused(format!(
                "image {id} is in use by {uses} containers"
            )));
        }
        let mut discarded = vec![self.store.discard_image(id)?];
        kill_point::reached(Point::ImageDiscarded);
        images.remove(id);
        for layer in &image.record.layers {
            if !images.needs_layer(layer) {
                discarded.push(self.store.discard_layer(layer)?);
            }
        }
        kill_point::reached(Point::ImageLayersDiscarded);
        Ok(discarded)
    }
}

/// What was discarded is out of the store; if its files cannot be removed, the next start does that.
pub(super) fn finish(discarded: Vec<Discarded>) {
    for one in discarded {
        if let Err(error) = one.finish() {
            tracing::warn!(
                error = with_causes(&error),
                "removed files stay until the next start"
            );
        }
    }
}

fn configuration(config: Config, layer: &LayerRecord, comment: &str) -> Result<ImageConfiguration> {
    let now = Time::now().to_string();
    let history = HistoryBuilder::default()
        .created(now.clone())
        .created_by("ImportImage")
        .comment(comment)
        .build()
        .map_err(EngineError::failed("cannot describe the image"))?;
    let mut image = ImageConfiguration::default();
    image
        .set_created(Some(now))
        .set_architecture(Arch::default())
        .set_os(Os::Linux)
        .set_config(Some(config))
        .set_history(Some(vec![history]));
    image.rootfs_mut().set_diff_ids(vec![layer.id.digest()]);
    Ok(image)
}

fn stored(config: &ImageConfiguration, layer: &LayerRecord) -> Result<StoredImage> {
    let config =
        serde_json::to_vec(config).map_err(EngineError::failed("cannot describe the image"))?;
    Ok(StoredImage {
        record: ImageRecord {
            id: ImageId::of_config(&config),
            tags: Vec::new(),
            layers: vec![layer.id.clone()],
            size: layer.size,
        },
        config,
    })
}

fn summary(image: &Image, containers: u32) -> ImageSummary {
    let size = i64::try_from(image.record.size).unwrap_or(i64::MAX);
    ImageSummary {
        id: image.record.id.to_string(),
        parent_id: String::new(),
        repo_tags: image
            .record
            .tags
            .iter()
            .map(|tag| tag.name.clone())
            .collect(),
        repo_digests: Vec::new(),
        created: image.config.created().clone().unwrap_or_default(),
        size,
        virtual_size: size,
        containers: containers.into(),
        labels: labels(image),
    }
}

pub(super) fn labels(image: &Image) -> BTreeMap<String, String> {
    let labels = image.config.labels_of_config().into_iter().flatten();
    labels.map(|(k, v)| (k.clone(), v.clone())).collect()
}
