//! The devices of a container: their nodes, and the right to open them.

use std::{fs, io, path::Path};

use oci_spec::{
    OciSpecError,
    runtime::{
        LinuxDevice, LinuxDeviceBuilder, LinuxDeviceCgroup, LinuxDeviceCgroupBuilder,
        LinuxDeviceType, Spec,
    },
};

use crate::{
    settings::{Device, Security},
    sys::{
        self,
        cgroup::{Hierarchies, Setup},
        devices::Rule,
        nodes::{self, Kind, Node},
    },
};

/// The rules, in the bundle.
const FILE: &str = "devices.json";

/// The nodes that are made in /dev beside the standard ones.
pub(super) fn nodes(security: &Security) -> Result<Vec<LinuxDevice>, OciSpecError> {
    let mut made = Vec::new();
    if security.privileged {
        made = nodes::of_host().map_err(OciSpecError::Io)?;
    }
    for device in &security.devices {
        made.retain(|(path, _)| *path != device.container);
        if is_in_dev(&device.container) {
            made.push((device.container.clone(), node(device)?));
        }
    }
    made.iter()
        .map(|(path, node)| described(path, node))
        .collect()
}

/// Those that the runtime library makes no nodes for: it does so in /dev alone.
pub(super) fn elsewhere(security: &Security) -> impl Iterator<Item = &Device> {
    let devices = security.devices.iter();
    devices.filter(|device| !is_in_dev(&device.container))
}

/// The rules of its cgroup: no device but the standard nodes, which the library adds, and what was asked for.
pub(super) fn rules(security: &Security) -> Result<Vec<LinuxDeviceCgroup>, OciSpecError> {
    let all = LinuxDeviceCgroupBuilder::default()
        .allow(security.privileged)
        .typ(LinuxDeviceType::A)
        .access("rwm");
    let mut rules = vec![all.build()?];
    for device in &security.devices {
        let node = node(device)?;
        let rule = LinuxDeviceCgroupBuilder::default()
            .allow(true)
            .typ(kind(&node))
            .major(node.major)
            .minor(node.minor)
            .access(&device.access);
        rules.push(rule.build()?);
    }
    Ok(rules)
}

/// Leaves the rules of an OCI configuration to the process that makes the container, and takes them out of it where the runtime
/// library would set them by way of a hierarchy of version 1, which it is not shown.
pub(super) fn take_rules(spec: &mut Spec, host: &Hierarchies, bundle: &Path) -> io::Result<()> {
    fs::write(bundle.join(FILE), serde_json::to_vec(&rules_of(spec))?)?;
    if let Some(linux) = spec
        .linux_mut()
        .as_mut()
        .filter(|_| host.setup != Setup::Unified)
    {
        linux.set_resources(None);
    }
    Ok(())
}

/// Puts the rules of the bundle in force.
pub(super) fn restrict(bundle: &Path, cgroup: &Path) -> io::Result<()> {
    let rules: Option<Vec<Rule>> = serde_json::from_slice(&fs::read(bundle.join(FILE))?)?;
    match rules {
        Some(rules) => sys::devices::restrict(cgroup, &rules),
        None => Ok(()),
    }
}

/// The rules of an OCI configuration, for the kernel; `None` if everything is allowed.
fn rules_of(spec: &Spec) -> Option<Vec<Rule>> {
    let linux = spec.linux().as_ref();
    let resources = linux.and_then(|linux| linux.resources().as_ref());
    let rules = resources.and_then(|resources| resources.devices().as_ref());
    let allowed = rules.into_iter().flatten().filter(|rule| rule.allow());
    allowed.map(rule).collect()
}

fn rule(rule: &LinuxDeviceCgroup) -> Option<Rule> {
    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let has = |letter| {
        rule.access()
            .as_ref()
            .is_some_and(|access| access.contains(letter))
    };
    Some(Rule {
        kind: match rule.typ()? {
            LinuxDeviceType::B => Kind::Block,
            LinuxDeviceType::C => Kind::Character,
            _ => return None,
        },
        major: number(rule.major())?,
        minor: number(rule.minor()),
        read: has('r'),
        write: has('w'),
    })
}

fn is_in_dev(path: &Path) -> bool {
    path.starts_with("/dev")
}

/// What is at its path by now.
fn node(device: &Device) -> Result<Node, OciSpecError> {
    let path = &device.host;
    let told = |why: String| OciSpecError::Other(format!("devices: {}: {why}", path.display()));
    Node::at(path)
        .map_err(|error| told(error.to_string()))?
        .ok_or_else(|| told("not a device".into()))
}

fn described(path: &Path, node: &Node) -> Result<LinuxDevice, OciSpecError> {
    LinuxDeviceBuilder::default()
        .path(path)
        .typ(kind(node))
        .major(node.major)
        .minor(node.minor)
        .file_mode(node.mode)
        .uid(node.uid)
        .gid(node.gid)
        .build()
}

fn kind(node: &Node) -> LinuxDeviceType {
    match node.kind {
        Kind::Block => LinuxDeviceType::B,
        Kind::Character => LinuxDeviceType::C,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(host: &str, container: &str, access: &str) -> Device {
        Device {
            host: host.into(),
            container: container.into(),
            access: access.into(),
        }
    }

    #[test]
    fn what_is_listed_is_added_and_may_be_used_as_told() {
        let security = Security {
            devices: vec![
                device("/dev/kmsg", "/dev/log", "r"),
                device("/dev/full", "/full", "rw"),
            ],
            ..Security::default()
        };
        let nodes = nodes(&security).unwrap();
        let paths: Vec<_> = nodes.iter().map(|node| node.path().as_path()).collect();
        assert_eq!(paths, [Path::new("/dev/log")]);
        let elsewhere: Vec<_> = elsewhere(&security).collect();
        assert_eq!(elsewhere, [&security.devices[1]]);
        let rules = rules(&security).unwrap();
        let told: Vec<_> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a *:* rwm", "c 1:11 r", "c 1:7 rw"]);
        assert!(!rules[0].allow());
    }

    #[test]
    fn a_device_that_is_gone_is_an_error_that_names_it() {
        let security = Security {
            devices: vec![device("/dev/no-such", "/dev/x", "rwm")],
            ..Security::default()
        };
        let error = rules(&security).unwrap_err().to_string();
        assert!(error.contains("/dev/no-such"), "{error}");
    }
}
