//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{api::Address, engine::EngineConfig};

/// A small container engine that serves io.projectatomic.podman.
#[derive(Debug, Parser)]
#[command(name = "podman-reference", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the interface until SIGTERM or SIGINT
    Serve(Serve),
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen: unix:PATH or unix:@NAME; not used when a service manager passes a socket (LISTEN_FDS)
    #[arg(long, default_value = "unix:/run/podman/io.projectatomic.podman")]
    pub address: Address,
    /// Where images and containers are kept
    #[arg(long, value_name = "DIR", default_value = "/var/lib/podman-reference")]
    pub root: PathBuf,
    /// Where mounts, pids and sockets are kept until the next reboot
    #[arg(long, value_name = "DIR", default_value = "/run/podman-reference")]
    pub runroot: PathBuf,
    /// Let this user call too, besides root and the user that the daemon runs as; whoever may call is root on this
    /// machine
    #[arg(long, value_name = "UID")]
    pub allow_uid: Vec<u32>,
}

impl Serve {
    /// Where the engine keeps things.
    #[must_use]
    pub fn engine(&self) -> EngineConfig {
        EngineConfig {
            root: self.root.clone(),
            runroot: self.runroot.clone(),
        }
    }
}
