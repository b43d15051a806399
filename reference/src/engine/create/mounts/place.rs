//! What is in an image where something is to be mounted.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{Kind, Wish, destination};
use crate::{
    runtime::PROVIDED_FILES,
    settings::{Source, Volume},
    sys::{
        layers::Layers,
        links::{self, What},
    },
};

/// Gives every mount its place in the image, without links, and leaves out those of the image that give way.
pub(super) fn settle(wishes: Vec<Wish>, layers: &Layers) -> Result<Vec<Wish>, String> {
    let mut settled: Vec<(Wish, What)> = Vec::new();
    for mut wish in wishes {
        let what = resolve(&mut wish, layers)?;
        let twin = settled
            .iter()
            .find(|(other, _)| other.destination == wish.destination);
        match twin {
            _ if wish.by_image && destination::is_provided(&wish.destination) => {}
            Some(_) if wish.by_image => {}
            Some((twin, _)) => {
                return Err(format!(
                    "{} has the same DESTINATION as {}",
                    wish.said, twin.said
                ));
            }
            None => settled.push((wish, what)),
        }
    }
    let places: HashSet<PathBuf> = settled
        .iter()
        .map(|(wish, _)| wish.destination.clone())
        .collect();
    for (wish, what) in &settled {
        fits(wish, what, &places).map_err(|why| format!("{} {why}", wish.said))?;
        leaves_room(wish, &places).map_err(|why| format!("{} {why}", wish.said))?;
    }
    Ok(settled.into_iter().map(|(wish, _)| wish).collect())
}

/// What the image has there. The image's links must not lead to where nothing may be mounted.
fn resolve(wish: &mut Wish, layers: &Layers) -> Result<What, String> {
    let resolved = links::resolve(layers, &wish.destination)
        .map_err(|error| format!("{} cannot be mounted in the image: {error}", wish.said))?;
    destination::allowed(&resolved.path).map_err(|why| format!("{} {why}", wish.said))?;
    wish.destination = resolved.path;
    Ok(resolved.what)
}

/// A directory is mounted on a directory, anything else on a file.
fn fits(wish: &Wish, what: &What, places: &HashSet<PathBuf>) -> Result<(), String> {
    let mut above = wish.destination.ancestors().skip(1);
    if above.any(|path| places.contains(path)) {
        // What the image has there is not seen.
        return Ok(());
    }
    let provided = destination::is_provided(&wish.destination);
    match (wish.is_directory(), what) {
        (true, What::File) => Err("is a directory on a file of the image".into()),
        (true, _) if provided => Err("is a directory on a file".into()),
        (false, What::Directory(_)) if !provided => {
            Err("is a file on a directory of the image".into())
        }
        _ => Ok(()),
    }
}

/// The engine's files are mounted over what a volume has in their places. On the host it makes none.
fn leaves_room(wish: &Wish, places: &HashSet<PathBuf>) -> Result<(), String> {
    for (file, _) in PROVIDED_FILES {
        let Ok(inside) = Path::new(file).strip_prefix(&wish.destination) else {
            continue;
        };
        let hides = !inside.as_os_str().is_empty() && !places.contains(Path::new(file));
        let room = match &wish.kind {
            Kind::Tmpfs(options) => !options.iter().any(|option| option == "ro"),
            Kind::Volume(Volume {
                source: Source::Host(source),
                ..
            }) => source
                .join(inside)
                .symlink_metadata()
                .is_ok_and(|it| it.is_file()),
            Kind::Volume(_) => true,
        };
        if hides && !room {
            return Err(format!(
                "has no file {} for the engine's {file} to be mounted on",
                inside.display()
            ));
        }
    }
    Ok(())
}

impl Wish {
    fn is_directory(&self) -> bool {
        match &self.kind {
            Kind::Volume(Volume {
                source: Source::Host(source),
                ..
            }) => source.is_dir(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use rstest::rstest;

    use super::{
        super::{tmpfs, volume},
        *,
    };

    /// The destinations of `volumes:` and `tmpfs:` entries, and of the image's.
    fn places(entries: &[&str], by_image: &[&str]) -> Result<Vec<String>, String> {
        let home = tempfile::tempdir().unwrap();
        let image = home.path().join("image");
        fs::create_dir_all(image.join("data/sub")).unwrap();
        fs::create_dir_all(image.join("etc")).unwrap();
        fs::write(image.join("file"), "").unwrap();
        for (target, link) in [
            ("/proc", "to-proc"),
            ("../../../..", "to-root"),
            ("/data", "to-data"),
            ("/dev/null", "to-null"),
            ("/etc/hosts", "to-hosts"),
        ] {
            symlink(target, image.join(link)).unwrap();
        }
        let layers = Layers::open([image.as_path()]).unwrap();
        let mut wishes = Vec::new();
        for entry in entries {
            let wish = match entry.strip_prefix("tmpfs:") {
                Some(entry) => tmpfs::wish(entry)?,
                None => volume::wish(&entry.replace("HOME", home.path().to_str().unwrap()))?,
            };
            wishes.push(wish);
        }
        for path in by_image {
            let mut wish = volume::wish(path)?;
            wish.by_image = true;
            wishes.push(wish);
        }
        let settled = settle(wishes, &layers)?;
        let told = |wish: Wish| wish.destination.display().to_string();
        Ok(settled.into_iter().map(told).collect())
    }

    #[rstest]
    #[case::plain(&["/data", "v:/new/place"], &[], &["/data", "/new/place"])]
    #[case::link(&["v:/to-data/x"], &[], &["/data/x"])]
    #[case::out(&["v:/to-root/x"], &[], &["/x"])]
    #[case::file(&["/etc/passwd:/file"], &[], &["/file"])]
    #[case::new_file(&["/etc/passwd:/a/b"], &[], &["/a/b"])]
    #[case::in_another(&["v:/new", "/etc/passwd:/new/x"], &[], &["/new", "/new/x"])]
    #[case::hidden_by_another(&["v:/data", "/etc/passwd:/data/sub"], &[], &["/data", "/data/sub"])]
    #[case::image_gives_way(&["v:/data"], &["/to-data", "/other", "/other"], &["/data", "/other"])]
    #[case::image_and_provided(&[], &["/to-hosts"], &[])]
    #[case::provided(&["/etc/passwd:/etc/hosts"], &[], &["/etc/hosts"])]
    #[case::around_provided(&["v:/etc"], &[], &["/etc"])]
    #[case::around_provided_in_memory(&["tmpfs:/etc"], &[], &["/etc"])]
    fn a_mount_has_its_place_in_the_image(
        #[case] entries: &[&str],
        #[case] by_image: &[&str],
        #[case] expected: &[&str],
    ) {
        assert_eq!(places(entries, by_image).unwrap(), expected);
    }

    #[rstest]
    #[case::same_place(&["/data", "v:/data"])]
    #[case::same_place_in_memory(&["/data", "tmpfs:/data/."])]
    #[case::same_place_by_a_link(&["/data", "v:/to-data"])]
    #[case::to_proc(&["v:/to-proc"])]
    #[case::below_proc(&["v:/to-proc/sys"])]
    #[case::to_the_root(&["v:/to-root"])]
    #[case::to_a_device(&["v:/to-null"])]
    #[case::directory_on_a_file(&["v:/file"])]
    #[case::in_memory_on_a_file(&["tmpfs:/file"])]
    #[case::below_a_file(&["v:/file/x"])]
    #[case::file_on_a_directory(&["/etc/passwd:/data"])]
    #[case::directory_on_a_provided_file(&["v:/to-hosts"])]
    #[case::no_room(&["HOME:/etc"])]
    #[case::no_room_in_memory(&["tmpfs:/etc:ro"])]
    fn what_has_no_place_is_refused(#[case] entries: &[&str]) {
        let reason = places(entries, &[]).unwrap_err();
        let names_it = ["volumes: ", "tmpfs: "]
            .iter()
            .any(|it| reason.starts_with(it));
        assert!(names_it, "{reason}");
    }
}
