//! The directory of a run that suite and endpoint both see.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use tempfile::TempDir;

use super::{image, plan::Unit, settings::Settings};
use crate::scenario::ast::Need;

/// What scenarios find in it beside the tars of the probe image.
static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/shared");

/// A folder of this run alone, with the tars of the probe image in it; dropped, it is removed.
#[derive(Debug)]
pub(super) struct SharedFolder {
    _here: TempDir,
    there: PathBuf,
}

impl SharedFolder {
    /// Makes it, if a scenario needs it.
    pub(super) fn prepare(settings: &Settings, units: &[&Unit<'_>]) -> io::Result<Option<Self>> {
        let is_needed = |unit: &&Unit<'_>| {
            unit.needs(&Need::SharedDir) || (unit.needs(&Need::Image) && settings.image.is_none())
        };
        if !units.iter().any(is_needed) {
            return Ok(None);
        }
        let parent = settings.shared.as_ref();
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("varlink-conformance-");
        let here = parent.map_or_else(|| builder.tempdir(), |it| builder.tempdir_in(&it.here))?;
        // The endpoint, and what runs in its containers, may be other users.
        fs::set_permissions(here.path(), fs::Permissions::from_mode(0o755))?;
        image::write_tars(here.path())?;
        FILES.extract(here.path())?;
        let name = here.path().file_name().unwrap_or_default();
        let there = parent.map_or_else(|| here.path().to_owned(), |it| it.there.join(name));
        Ok(Some(Self { _here: here, there }))
    }

    /// As the endpoint sees it.
    pub(super) fn there(&self) -> &Path {
        &self.there
    }
}
