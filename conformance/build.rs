//! Compiles the probe to a static program, so that the suite carries it inside itself.

#![allow(clippy::expect_used, clippy::panic)] // a build script has no other way to fail

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=src/bin/probe");
    println!("cargo::rerun-if-changed=build.rs");
    let status = compiler().status().expect("rustc runs");
    assert!(
        status.success(),
        "no static probe: is libc6-dev (libc.a) installed?"
    );
}

fn compiler() -> Command {
    let cargo_says = |name| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let mut command = Command::new(cargo_says("RUSTC"));
    command
        .args([
            "--edition",
            "2024",
            "--crate-name",
            "probe",
            "--crate-type",
            "bin",
        ])
        .args([
            "-C",
            "target-feature=+crt-static",
            "-C",
            "opt-level=s",
            "-C",
            "panic=abort",
        ])
        .args([
            "-C",
            "strip=symbols",
            "-C",
            "lto=fat",
            "-C",
            "codegen-units=1",
        ])
        .args(["--target", &cargo_says("TARGET"), "-o"])
        .arg(Path::new(&cargo_says("OUT_DIR")).join("probe"))
        .arg("src/bin/probe/main.rs");
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.args(["-C", &format!("linker={linker}")]);
    }
    command
}
