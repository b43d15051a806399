//! Makes the working directory, which the runtime expects to be there.

use std::{fs::Permissions, os::unix::fs::PermissionsExt};

use pathrs::{Root, error::Error};

use super::ContainerSetup;

impl ContainerSetup {
    /// Makes its working directory if it is not there, as root and with mode 0755. Links in the image are followed inside its
    /// root file system, whatever they point to.
    ///
    /// # Errors
    /// If it cannot be made: a file is in its place, or the disk is full.
    pub fn make_working_directory(&self) -> Result<(), Error> {
        Root::open(&self.rootfs)?
            .mkdir_all(&self.cwd, &Permissions::from_mode(0o755))
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::{
        runtime::{Network, User, VolumeDirectories},
        settings::Settings,
    };

    #[test]
    fn a_link_to_the_host_stays_inside() {
        let home = tempfile::tempdir().unwrap();
        let (rootfs, outside) = (home.path().join("rootfs"), home.path().join("outside"));
        fs::create_dir_all(rootfs.join("a")).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink("../../outside", rootfs.join("a/up")).unwrap();
        fs::create_dir(rootfs.join("outside")).unwrap();
        let setup = ContainerSetup {
            id: "c".into(),
            argv: vec![],
            env: vec![],
            cwd: "/a/up/new".into(),
            hostname: String::new(),
            rootfs: rootfs.clone(),
            files: std::path::PathBuf::from("/run"),
            volumes: VolumeDirectories::default(),
            user: User::default(),
            network: Network::None,
            labels: [].into(),
            settings: Settings::default(),
            joins: Vec::new(),
        };
        setup.make_working_directory().unwrap();
        assert!(rootfs.join("outside/new").is_dir());
        assert!(!outside.join("new").exists());
    }
}
