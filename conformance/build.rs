//! Compiles the probe to a static program, so that the suite carries it inside itself.

#![allow(clippy::expect_used)] // a build script has no other way to fail

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=src/bin/probe");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let rustc = env::var("RUSTC").expect("cargo sets RUSTC");
    let mut command = Command::new(rustc);
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
        .args(["--target", &target, "-o"])
        .arg(Path::new(&out).join("probe"))
        .arg("src/bin/probe/main.rs");
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.args(["-C", &format!("linker={linker}")]);
    }
    let status = command.status().expect("rustc runs");
    assert!(
        status.success(),
        "the probe could not be compiled as a static program: is libc6-dev there?"
    );
}
