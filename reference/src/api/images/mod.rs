//! The methods of images: decode, one engine call, encode.

use super::{
    errors,
    generated::podman::{Call_ImportImage, Call_ListImages, Call_RemoveImage, ImageInList},
    interface::Session,
};
use crate::engine::ImageSummary;

type Sent = varlink::Result<()>;
type Text = Option<String>;

/// An empty text is no text.
fn given(text: Text) -> Text {
    text.filter(|text| !text.is_empty())
}

pub(crate) fn import(
    session: &Session,
    call: &mut dyn Call_ImportImage,
    source: Text,
    reference: Text,
    message: Text,
    changes: Option<Vec<String>>,
) -> Sent {
    let (source, changes) = (source.unwrap_or_default(), changes.unwrap_or_default());
    let (reference, message) = (given(reference), given(message));
    let imported =
        session
            .engine
            .import_image(&source, reference.as_deref(), message.as_deref(), &changes);
    match imported {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn list(session: &Session, call: &mut dyn Call_ListImages) -> Sent {
    match session.engine.images() {
        Ok(images) => call.reply(images.into_iter().map(encode).collect()),
        Err(error) => errors::reply(call, error),
    }
}

pub(crate) fn remove(
    session: &Session,
    call: &mut dyn Call_RemoveImage,
    name: Text,
    force: Option<bool>,
) -> Sent {
    match session
        .engine
        .remove_image(&name.unwrap_or_default(), force.unwrap_or_default())
    {
        Ok(id) => call.reply(id),
        Err(error) => errors::reply(call, error),
    }
}

fn encode(image: ImageSummary) -> ImageInList {
    ImageInList {
        id: image.id,
        parentId: image.parent_id,
        repoTags: image.repo_tags,
        repoDigests: image.repo_digests,
        created: image.created,
        size: image.size,
        virtualSize: image.virtual_size,
        containers: image.containers,
        labels: image.labels.into_iter().collect(),
    }
}
