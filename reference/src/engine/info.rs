//! GetInfo: the host and the store.

use procfs::Current;

use super::{Engine, EngineError, Info, Result, clock::span, sync::lock};
use crate::sys::{filesystem, mount};

const UNREADABLE: &str = "cannot read what the kernel says of the host";

impl Engine {
    pub(super) fn describe(&self) -> Result<Info> {
        let memory = procfs::Meminfo::current().map_err(EngineError::failed(UNREADABLE))?;
        let uptime = procfs::Uptime::current().map_err(EngineError::failed(UNREADABLE))?;
        let layout = self.store.layout();
        let filesystem =
            filesystem::name(layout.root()).map_err(EngineError::failed(UNREADABLE))?;
        let d_type =
            filesystem::tells_types(layout.root()).map_err(EngineError::failed(UNREADABLE))?;
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let host = nix::sys::utsname::uname().map_err(EngineError::failed(UNREADABLE))?;
        Ok(Info {
            mem_free: bytes(memory.mem_free),
            mem_total: bytes(memory.mem_total),
            swap_free: bytes(memory.swap_free),
            swap_total: bytes(memory.swap_total),
            arch: architecture().into(),
            cpus: processors(),
            hostname: hostname(),
            kernel: host.release().to_string_lossy().into_owned(),
            os: "linux".into(),
            uptime: span(i128::try_from(uptime.uptime_duration().as_millis()).unwrap_or(0)),
            containers: count(lock(&self.containers).len()),
            images: count(lock(&self.images).len()),
            graph_driver_name: "overlay".into(),
            graph_driver_options: String::new(),
            graph_root: layout.root().display().to_string(),
            backing_filesystem: filesystem,
            native_overlay_diff: mount::changes_are_whole().to_string(),
            supports_d_type: d_type.to_string(),
            run_root: layout.runroot().display().to_string(),
            registries: Vec::new(),
            insecure_registries: Vec::new(),
        })
    }
}

/// Go's name of it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

fn processors() -> i64 {
    let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN);
    online.ok().flatten().unwrap_or(1).max(1)
}

pub(super) fn hostname() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
