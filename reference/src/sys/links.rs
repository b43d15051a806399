//! Where a path leads in merged layers: links are followed inside them, as the kernel would once they are mounted.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Component, Path, PathBuf},
};

use rustix::{fs::FileType, io::Errno};

use super::layers::{self, Layers, Place};

/// As many links as the kernel follows in one path.
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub struct Resolved {
    /// The same place without links: absolute.
    pub path: PathBuf,
    /// What is there.
    pub what: What,
}

/// What is at a place.
#[derive(Debug)]
pub enum What {
    /// Nothing.
    Nothing,
    /// A directory.
    Directory(Place),
    /// Anything else, but a link.
    File,
}

/// Resolves a path. `..` and absolute links never lead out.
///
/// # Errors
/// If something on the way is no directory, there are too many links, or a layer cannot be read.
pub fn resolve(layers: &Layers, path: &Path) -> io::Result<Resolved> {
    let mut walk = Walk {
        layers,
        here: vec![layers.root()],
        path: PathBuf::from("/"),
        missing: 0,
        is_file: false,
        links: 0,
        pending: Vec::new(),
    };
    walk.queue(path);
    while let Some(name) = walk.pending.pop() {
        walk.step(&name)?;
    }
    Ok(walk.arrived())
}

struct Walk<'l> {
    layers: &'l Layers,
    /// The directories from the root to here.
    here: Vec<Place>,
    path: PathBuf,
    /// How many components at the end of `path` are not there.
    missing: usize,
    /// Whether `path` is a file.
    is_file: bool,
    links: usize,
    /// The next component is the last one.
    pending: Vec<OsString>,
}

impl Walk<'_> {
    fn queue(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.pending.push(name.to_owned()),
                Component::ParentDir => self.pending.push("..".into()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
    }

    fn step(&mut self, name: &OsStr) -> io::Result<()> {
        if self.is_file {
            return Err(Errno::NOTDIR.into());
        }
        if name == ".." {
            self.leave();
            return Ok(());
        }
        if self.missing > 0 {
            self.missing += 1;
            self.path.push(name);
            return Ok(());
        }
        self.enter(name)
    }

    fn leave(&mut self) {
        self.path.pop();
        if self.missing > 0 {
            self.missing -= 1;
        } else if self.here.len() > 1 {
            self.here.pop();
        }
    }

    fn enter(&mut self, name: &OsStr) -> io::Result<()> {
        let place = self.here.last().ok_or(Errno::NOENT)?;
        let directory = self.layers.directory(place)?;
        match directory.find(name)? {
            None => self.missing = 1,
            Some(found) if layers::kind(&found.stat) == FileType::Symlink => {
                let target = rustix::fs::readlinkat(found.part, &found.name, Vec::new())?;
                return self.follow(&OsString::from_vec(target.into_bytes()));
            }
            Some(found) => match found.below {
                Some(below) => self.here.push(below),
                None => self.is_file = true,
            },
        }
        self.path.push(name);
        Ok(())
    }

    fn follow(&mut self, target: &OsStr) -> io::Result<()> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        if target.as_bytes().first() == Some(&b'/') {
            self.here.truncate(1);
            self.path = PathBuf::from("/");
        }
        self.queue(Path::new(target));
        Ok(())
    }

    fn arrived(mut self) -> Resolved {
        let what = match self.here.pop() {
            Some(place) if self.missing == 0 && !self.is_file => What::Directory(place),
            _ if self.is_file => What::File,
            _ => What::Nothing,
        };
        Resolved {
            path: self.path,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use rstest::rstest;

    use super::*;

    fn told(path: &str) -> Result<(String, &'static str), Errno> {
        let home = tempfile::tempdir().unwrap();
        let (upper, lower) = (home.path().join("upper"), home.path().join("lower"));
        fs::create_dir_all(upper.join("run/app")).unwrap();
        fs::create_dir_all(lower.join("var")).unwrap();
        fs::create_dir_all(lower.join("usr/bin")).unwrap();
        fs::write(lower.join("usr/file"), "").unwrap();
        symlink("/run", lower.join("var/run")).unwrap();
        symlink("../../../../etc", lower.join("usr/up")).unwrap();
        symlink("../usr/./bin", upper.join("bin")).unwrap();
        symlink("circle", upper.join("circle")).unwrap();
        symlink("/no/../usr", upper.join("past-nothing")).unwrap();
        let layers = Layers::open([upper.as_path(), lower.as_path()]).unwrap();
        let resolved = resolve(&layers, Path::new(path));
        let resolved = resolved.map_err(|error| Errno::from_io_error(&error).unwrap())?;
        let what = match resolved.what {
            What::Nothing => "nothing",
            What::Directory(_) => "directory",
            What::File => "file",
        };
        Ok((resolved.path.display().to_string(), what))
    }

    #[rstest]
    #[case::root("/", "/", "directory")]
    #[case::plain("/usr/bin", "/usr/bin", "directory")]
    #[case::absolute_link("/var/run/app", "/run/app", "directory")]
    #[case::relative_link("/bin/x", "/usr/bin/x", "nothing")]
    #[case::out_of_the_root("/usr/up/x", "/etc/x", "nothing")]
    #[case::missing("/a/b", "/a/b", "nothing")]
    #[case::file("/usr/file", "/usr/file", "file")]
    #[case::past_nothing("/past-nothing/bin", "/usr/bin", "directory")]
    fn links_are_followed_inside(#[case] path: &str, #[case] leads_to: &str, #[case] what: &str) {
        let (found, kind) = told(path).unwrap();
        assert_eq!((&*found, kind), (leads_to, what));
    }

    #[rstest]
    #[case::through_a_file("/usr/file/x", Errno::NOTDIR)]
    #[case::circle("/circle", Errno::LOOP)]
    fn what_leads_nowhere_is_an_error(#[case] path: &str, #[case] error: Errno) {
        assert_eq!(told(path), Err(error));
    }
}
