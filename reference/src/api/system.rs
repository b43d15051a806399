//! GetInfo and GetVersion, and what the methods without a function answer.

use super::{
    errors,
    generated::podman::{
        Call_GetInfo, InfoGraphStatus, InfoHost, InfoPodmanBinary, InfoStore, NotImplemented,
        PodmanInfo, Version,
    },
    interface::Session,
};
use crate::engine::Info;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const COMPILER: &str = env!("BUILD_COMPILER");
const COMMIT: &str = env!("BUILD_COMMIT");

/// The build. `go_version` names the compiler that there is.
pub(crate) fn version() -> Version {
    Version {
        version: VERSION.to_owned(),
        go_version: COMPILER.to_owned(),
        git_commit: COMMIT.to_owned(),
        built: env!("BUILD_TIME").parse().unwrap_or_default(),
        os_arch: format!("{}/{}", std::env::consts::OS, architecture()),
    }
}

/// As the OCI image specification spells it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

pub(crate) fn not_implemented(instead: &str) -> NotImplemented {
    NotImplemented {
        comment: format!("not implemented; {instead}"),
    }
}

pub(crate) fn info(session: &Session, call: &mut dyn Call_GetInfo) -> varlink::Result<()> {
    match session.engine.info() {
        Ok(info) => call.reply(encode(info)),
        Err(error) => errors::reply(call, error),
    }
}

fn encode(info: Info) -> PodmanInfo {
    PodmanInfo {
        host: InfoHost {
            mem_free: info.mem_free,
            mem_total: info.mem_total,
            swap_free: info.swap_free,
            swap_total: info.swap_total,
            arch: info.arch,
            cpus: info.cpus,
            hostname: info.hostname,
            kernel: info.kernel,
            os: info.os,
            uptime: info.uptime,
        },
        registries: info.registries,
        insecure_registries: info.insecure_registries,
        store: InfoStore {
            containers: info.containers,
            images: info.images,
            graph_driver_name: info.graph_driver_name,
            graph_driver_options: info.graph_driver_options,
            graph_root: info.graph_root,
            graph_status: InfoGraphStatus {
                backing_filesystem: info.backing_filesystem,
                native_overlay_diff: info.native_overlay_diff,
                supports_d_type: info.supports_d_type,
            },
            run_root: info.run_root,
        },
        podman: InfoPodmanBinary {
            compiler: COMPILER.to_owned(),
            go_version: COMPILER.to_owned(),
            podman_version: VERSION.to_owned(),
            git_commit: COMMIT.to_owned(),
        },
    }
}
