//! Which device nodes a cgroup may open.
//!
//! Version 1 has a controller for it. In version 2 it is a BPF program on the group, the only way there; without it, a root
//! process that can make nodes could open the host's disks.
#![allow(unsafe_code)]

use std::{
    ffi::CStr,
    fs::{self, File},
    io::{self, Write},
    os::fd::{AsRawFd, OwnedFd, RawFd},
    path::Path,
};

use nix::{errno::Errno, libc};
use serde::{Deserialize, Serialize};

use super::{
    cgroup::{Hierarchies, Setup},
    fd::owned,
    nodes::Kind,
};

/// Which devices a group may open, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Block or character devices.
    pub kind: Kind,
    /// The number of the driver.
    pub major: u32,
    /// The number at the driver; `None` for all.
    pub minor: Option<u32>,
    /// Whether they may be read.
    pub read: bool,
    /// Whether they may be written.
    pub write: bool,
}

impl Rule {
    const fn character(major: u32, minor: Option<u32>) -> Self {
        Self {
            kind: Kind::Character,
            major,
            minor,
            read: true,
            write: true,
        }
    }
}

/// What every group may open: null, zero, full, random, urandom, tty, console, ptmx, and pseudo terminals.
const STANDARD: [Rule; 9] = [
    Rule::character(1, Some(3)),
    Rule::character(1, Some(5)),
    Rule::character(1, Some(7)),
    Rule::character(1, Some(8)),
    Rule::character(1, Some(9)),
    Rule::character(5, Some(0)),
    Rule::character(5, Some(1)),
    Rule::character(5, Some(2)),
    Rule::character(136, None),
];
/// Leaves a container's group the standard nodes and those of the rules; making nodes is allowed, opening them is what is kept
/// from it.
///
/// # Errors
/// If the kernel refuses.
pub fn restrict(path: &Path, rules: &[Rule]) -> io::Result<()> {
    let host = Hierarchies::of_host()?;
    for group in host.groups(path) {
        let rules = [&STANDARD, rules].concat();
        if host.setup == Setup::Unified {
            attach(&load(&filter(&rules)?)?, &group)?;
        } else if group.join("devices.deny").exists() {
            fs::write(group.join("devices.deny"), "a")?;
            let mut allow = File::options()
                .write(true)
                .open(group.join("devices.allow"))?;
            // The kernel takes one rule at a time.
            for rule in MAKE_NODES
                .into_iter()
                .map(str::to_owned)
                .chain(lines(&rules))
            {
                allow.write_all(rule.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// In version 1, for every device.
const MAKE_NODES: [&str; 2] = ["c *:* m", "b *:* m"];

/// Rules as version 1 reads them.
fn lines(rules: &[Rule]) -> impl Iterator<Item = String> {
    rules
        .iter()
        .filter(|rule| rule.read || rule.write)
        .map(|rule| {
            let kind = match rule.kind {
                Kind::Block => 'b',
                Kind::Character => 'c',
            };
            let minor = rule
                .minor
                .map_or("*".to_owned(), |number| number.to_string());
            let read = if rule.read { "r" } else { "" };
            let write = if rule.write { "w" } else { "" };
            format!("{kind} {}:{minor} {read}{write}", rule.major)
        })
}

/// One BPF instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
struct Instruction {
    code: u8,
    /// Destination in the lower half, source in the upper.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers,
        offset,
        immediate,
    }
}

const LOAD_WORD: u8 = 0x61;
const COPY: u8 = 0xbf;
const SET: u8 = 0xb7;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const IF_NOT_EQUAL: u8 = 0x55;
const IF_ANY_BIT: u8 = 0x45;
const EXIT: u8 = 0x95;

const MAKE_NODE: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;
const BLOCK_DEVICE: i32 = 1;
const CHARACTER_DEVICE: i32 = 2;

/// Allows making nodes, and opening the devices of the rules. Its input is the kernel's `bpf_cgroup_dev_ctx`: the access
/// (upper half what is done, lower half the kind of device), major, minor.
fn filter(rules: &[Rule]) -> io::Result<Vec<Instruction>> {
    let mut program = vec![
        instruction(LOAD_WORD, 0x12, 0, 0), // r2 = access
        instruction(LOAD_WORD, 0x14, 4, 0), // r4 = major
        instruction(LOAD_WORD, 0x15, 8, 0), // r5 = minor
        instruction(COPY, 0x23, 0, 0),      // r3 = what is done
        instruction(SHIFT_RIGHT, 0x03, 0, 16),
        instruction(AND, 0x02, 0, 0xffff), // r2 = kind
        instruction(SET, 0x00, 0, 1),      // r0 = allowed, unless the end is reached
        instruction(IF_NOT_EQUAL, 0x03, 1, MAKE_NODE),
        instruction(EXIT, 0, 0, 0),
    ];
    for rule in rules {
        program.extend(one(rule)?);
    }
    program.push(instruction(SET, 0x00, 0, 0));
    program.push(instruction(EXIT, 0, 0, 0));
    Ok(program)
}

/// Ends the program if the rule allows the access; each condition that does not hold skips the rest.
fn one(rule: &Rule) -> io::Result<Vec<Instruction>> {
    let number = |number: u32| i32::try_from(number).map_err(io::Error::other);
    let kind = match rule.kind {
        Kind::Block => BLOCK_DEVICE,
        Kind::Character => CHARACTER_DEVICE,
    };
    let mut conditions = vec![
        (IF_NOT_EQUAL, 0x02, kind),
        (IF_NOT_EQUAL, 0x04, number(rule.major)?),
    ];
    if let Some(minor) = rule.minor {
        conditions.push((IF_NOT_EQUAL, 0x05, number(minor)?));
    }
    let denied = [(rule.read, READ), (rule.write, WRITE)];
    let denied = denied.into_iter().filter(|(allowed, _)| !allowed);
    conditions.extend(denied.map(|(_, access)| (IF_ANY_BIT, 0x03, access)));
    let mut left = i16::try_from(conditions.len()).map_err(io::Error::other)?;
    let mut instructions = Vec::with_capacity(conditions.len() + 1);
    for (code, register, value) in conditions {
        instructions.push(instruction(code, register, left, value));
        left -= 1;
    }
    instructions.push(instruction(EXIT, 0, 0, 0));
    Ok(instructions)
}

/// bpf(2), BPF_PROG_LOAD, as far as it is used.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// bpf(2), BPF_PROG_ATTACH, as far as it is used.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    point: u32,
    flags: u32,
}

fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    const PROG_LOAD: libc::c_int = 5;
    const CGROUP_DEVICE: u32 = 15;
    const LICENSE: &CStr = c"Apache-2.0";
    let request = Load {
        kind: CGROUP_DEVICE,
        count: u32::try_from(program.len()).map_err(io::Error::other)?,
        instructions: address(program.as_ptr().cast())?,
        license: address(LICENSE.as_ptr().cast())?,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: the request and what it points to outlive the call.
    unsafe { bpf(PROG_LOAD, &request) }.map(owned)
}

fn attach(program: &OwnedFd, group: &Path) -> io::Result<()> {
    const PROG_ATTACH: libc::c_int = 8;
    const CGROUP_DEVICE: u32 = 6;
    /// Beside programs of groups above and below, all of which must allow.
    const ALLOW_MULTI: u32 = 2;
    let group = File::open(group)?;
    let number = |fd: RawFd| u32::try_from(fd).map_err(io::Error::other);
    let request = Attach {
        target: number(group.as_raw_fd())?,
        program: number(program.as_raw_fd())?,
        point: CGROUP_DEVICE,
        flags: ALLOW_MULTI,
    };
    // SAFETY: the request outlives the call and holds no pointers.
    unsafe { bpf(PROG_ATTACH, &request) }.map(drop)
}

fn address(pointer: *const u8) -> io::Result<u64> {
    u64::try_from(pointer.addr()).map_err(io::Error::other)
}

/// # Safety
/// `request` must be what `command` takes.
unsafe fn bpf<T>(command: libc::c_int, request: &T) -> io::Result<RawFd> {
    let request: *const T = request;
    // SAFETY: by the caller's promise; the kernel reads `size_of::<T>()` bytes and takes the rest as zero.
    let done = unsafe { libc::syscall(libc::SYS_bpf, command, request, size_of::<T>()) };
    RawFd::try_from(Errno::result(done)?).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, process::Command};

    use super::*;

    /// A group of a version 2 hierarchy, removed at the end.
    struct Group(PathBuf);

    impl Drop for Group {
        fn drop(&mut self) {
            let _ = fs::remove_dir(&self.0);
        }
    }

    #[test]
    fn version_1_reads_rules_as_lines() {
        let disk = Rule {
            kind: Kind::Block,
            minor: None,
            ..Rule::character(8, None)
        };
        let kmsg = Rule {
            write: false,
            ..Rule::character(1, Some(11))
        };
        let neither = Rule {
            read: false,
            ..kmsg
        };
        let lines: Vec<_> = lines(&[disk, kmsg, neither]).collect();
        assert_eq!(lines, ["b 8:* rw", "c 1:11 r"]);
    }

    #[test]
    fn only_the_standard_nodes_can_be_opened() {
        let root = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(PathBuf::from);
        let Some(root) = root
            .into_iter()
            .find(|r| r.join("cgroup.controllers").exists())
        else {
            eprintln!("no version 2 hierarchy here");
            return;
        };
        let group = Group(root.join(format!("podman-reference-devices-{}", std::process::id())));
        fs::create_dir(&group.0).unwrap();
        let kmsg = Rule {
            write: false,
            ..Rule::character(1, Some(11))
        };
        let rules = [&STANDARD[..], &[kmsg]].concat();
        attach(&load(&filter(&rules).unwrap()).unwrap(), &group.0).unwrap();
        let home = tempfile::tempdir().unwrap();
        let script = format!(
            "echo $$ > {}/cgroup.procs; cd {}; /bin/busybox mknod disk b 7 200 && echo made
            for node in /dev/null /dev/zero /dev/urandom; do true < $node && echo opened; done
            true < disk || echo refused; true < /dev/kmsg && echo opened
            true > /dev/kmsg || echo refused; true < /dev/autofs || echo refused",
            group.0.display(),
            home.path().display(),
        );
        let output = Command::new("/bin/busybox")
            .args(["sh", "-c", &script])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            text, "made\nopened\nopened\nopened\nrefused\nopened\nrefused\nrefused\n",
            "{output:?}"
        );
        assert!(String::from_utf8_lossy(&output.stderr).contains("not permitted"));
    }
}
