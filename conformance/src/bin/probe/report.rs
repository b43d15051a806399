//! What this process sees: the kernel's own text files, read into one JSON object.

use std::{
    env, fs,
    io::IsTerminal,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
};

use crate::{cgroup, json::Json};

/// The members of these names, with commas between them, or all. What cannot be read is null, so that a scenario can tell it from empty.
pub(crate) fn report(wanted: &str) -> Json {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let Json::Object(mut members) = identity(&status) else {
        return Json::Null;
    };
    members.extend(surroundings().map(|(name, value)| (name.to_owned(), value)));
    members.retain(|(name, _)| wanted.is_empty() || wanted.split(',').any(|one| one == name));
    Json::Object(members)
}

/// Who this process is.
fn identity(status: &str) -> Json {
    Json::object([
        (
            "args",
            Json::texts(env::args_os().map(|a| a.to_string_lossy().into_owned())),
        ),
        ("env", Json::Object(environment())),
        (
            "cwd",
            env::current_dir().map_or(Json::Null, |p| Json::Text(p.display().to_string())),
        ),
        ("hostname", line_of("/proc/sys/kernel/hostname")),
        ("pid", Json::Number(std::process::id().into())),
        ("uid", nth_number(status, "Uid", 1)),
        ("gid", nth_number(status, "Gid", 1)),
        ("groups", Json::List(numbers(field(status, "Groups")))),
        ("umask", text(field(status, "Umask"))),
        ("capabilities", capabilities(status)),
        (
            "no_new_privs",
            Json::Bool(field(status, "NoNewPrivs") == "1"),
        ),
        ("seccomp", nth_number(status, "Seccomp", 0)),
        ("rlimits", rlimits()),
    ])
}

/// Where it lives.
fn surroundings() -> [(&'static str, Json); 15] {
    [
        ("oom_score_adj", whole_number("/proc/self/oom_score_adj")),
        ("mounts", mounts()),
        ("cgroup", cgroup::limits()),
        ("sysctls", sysctls()),
        ("hosts", file("/etc/hosts")),
        ("resolv_conf", file("/etc/resolv.conf")),
        ("namespaces", namespaces()),
        ("uid_map", file("/proc/self/uid_map")),
        ("gid_map", file("/proc/self/gid_map")),
        ("devices", entries("/dev")),
        ("nodes", Json::Object(nodes(Path::new("/dev")))),
        ("interfaces", interfaces()),
        ("fds", fds()),
        (
            "tty",
            Json::Bool(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()),
        ),
        ("processes", processes()),
    ]
}

fn environment() -> Vec<(String, Json)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    env::vars_os()
        .map(|(key, value)| (lossy(key), Json::Text(lossy(value))))
        .collect()
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

fn file(path: &str) -> Json {
    fs::read_to_string(path).map_or(Json::Null, Json::Text)
}

fn line_of(path: &str) -> Json {
    fs::read_to_string(path).map_or(Json::Null, |t| text(t.trim_end()))
}

fn whole_number(path: &str) -> Json {
    fs::read_to_string(path)
        .ok()
        .and_then(|t| t.trim().parse().ok())
        .map_or(Json::Null, Json::Number)
}

/// The value of `name:` in a status file.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map_or("", str::trim)
}

fn numbers(text: &str) -> Vec<Json> {
    text.split_whitespace()
        .filter_map(|n| n.parse().ok())
        .map(Json::Number)
        .collect()
}

fn nth_number(status: &str, name: &str, n: usize) -> Json {
    numbers(field(status, name))
        .into_iter()
        .nth(n)
        .unwrap_or(Json::Null)
}

/// Capability names by bit, as of Linux 6.x.
const CAPABILITIES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

fn capabilities(status: &str) -> Json {
    let sets = [
        ("inheritable", "CapInh"),
        ("permitted", "CapPrm"),
        ("effective", "CapEff"),
        ("bounding", "CapBnd"),
        ("ambient", "CapAmb"),
    ];
    Json::object(sets.map(|(name, key)| (name, capability_names(field(status, key)))))
}

fn capability_names(hexadecimal: &str) -> Json {
    let Ok(bits) = u64::from_str_radix(hexadecimal, 16) else {
        return Json::Null;
    };
    let set = CAPABILITIES
        .iter()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1);
    Json::texts(set.map(|(_, name)| *name))
}

fn rlimits() -> Json {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    Json::Object(limits.lines().skip(1).filter_map(rlimit).collect())
}

/// `Max open files   1024   4096   files` is `("open files", {"soft": 1024, "hard": 4096})`; unlimited is -1.
fn rlimit(line: &str) -> Option<(String, Json)> {
    let (name, values) = line.strip_prefix("Max ")?.split_at_checked(22)?;
    let mut values = values
        .split_whitespace()
        .map(|v| v.parse().unwrap_or(-1))
        .map(Json::Number);
    let (soft, hard) = (values.next()?, values.next()?);
    Some((
        name.trim().to_owned(),
        Json::object([("soft", soft), ("hard", hard)]),
    ))
}

fn mounts() -> Json {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Json::List(table.lines().filter_map(mount).collect())
}

/// One line of mountinfo, proc_pid_mountinfo(5).
fn mount(line: &str) -> Option<Json> {
    let (place, filesystem) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, destination, options) = (place.next()?, place.next()?, place.next()?);
    // Such as `master:7`: with whom it shares later mounts.
    let propagation = place.map(|field| field.split(':').next().unwrap_or(field));
    let mut filesystem = filesystem.split(' ');
    let (kind, source) = (filesystem.next()?, filesystem.next()?);
    let super_options = filesystem.next().unwrap_or("");
    Some(Json::object([
        ("destination", text(destination)),
        ("type", text(kind)),
        ("source", text(source)),
        ("root", text(root)),
        ("options", Json::texts(options.split(','))),
        ("propagation", Json::texts(propagation)),
        ("super_options", Json::texts(super_options.split(','))),
    ]))
}

fn sysctls() -> Json {
    let names = [
        "kernel.domainname",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "fs.mqueue.msg_max",
        "fs.mqueue.queues_max",
        "net.core.somaxconn",
        "net.ipv4.ip_forward",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
    ];
    Json::object(names.map(|name| {
        (
            name,
            line_of(&format!("/proc/sys/{}", name.replace('.', "/"))),
        )
    }))
}

fn namespaces() -> Json {
    let names = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
    Json::object(names.map(|name| {
        let target = fs::read_link(format!("/proc/self/ns/{name}")).unwrap_or_default();
        let inode: String = target
            .display()
            .to_string()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        (
            name,
            if inode.is_empty() {
                Json::Null
            } else {
                Json::Text(inode)
            },
        )
    }))
}

/// The names in a directory, sorted.
fn entries(path: &str) -> Json {
    let Ok(directory) = fs::read_dir(path) else {
        return Json::Null;
    };
    let mut names: Vec<String> = directory
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Json::texts(names)
}

/// The device nodes below a directory, by their path from there: `c 1:3`. Terminals come and go, so that /dev/pts is left out.
fn nodes(directory: &Path) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let (path, Ok(status)) = (entry.path(), entry.metadata()) else {
                continue;
            };
            let name = path.strip_prefix(directory).unwrap_or(&path);
            let (kind, device) = (status.file_type(), status.rdev());
            if kind.is_dir() && name != Path::new("pts") {
                left.push(path);
            } else if kind.is_char_device() || kind.is_block_device() {
                let letter = if kind.is_char_device() { 'c' } else { 'b' };
                let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
                let node = text(&format!("{letter} {major}:{minor}"));
                found.push((name.display().to_string(), node));
            }
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

fn interfaces() -> Json {
    let Ok(table) = fs::read_to_string("/proc/net/dev") else {
        return Json::Null;
    };
    let mut names: Vec<&str> = table
        .lines()
        .skip(2)
        .filter_map(|l| Some(l.split_once(':')?.0.trim()))
        .collect();
    names.sort_unstable();
    Json::texts(names)
}

/// Open descriptors, less the one that reads the list.
fn fds() -> Json {
    let Ok(directory) = fs::read_dir("/proc/self/fd") else {
        return Json::Null;
    };
    let open = directory.flatten().filter_map(|e| {
        let target = fs::read_link(e.path()).ok()?;
        let own = target.to_string_lossy().ends_with("/fd");
        e.file_name().to_str()?.parse().ok().filter(|_| !own)
    });
    let mut numbers: Vec<i128> = open.collect();
    numbers.sort_unstable();
    Json::List(numbers.into_iter().map(Json::Number).collect())
}

/// The names of the processes that /proc shows.
fn processes() -> Json {
    let Ok(directory) = fs::read_dir("/proc") else {
        return Json::Null;
    };
    let pids = directory
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().parse::<u32>().is_ok());
    let mut names: Vec<String> = pids
        .filter_map(|e| fs::read_to_string(e.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    names.sort();
    Json::texts(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_names_come_from_their_bits() {
        assert_eq!(
            capability_names("0000000000000401"),
            Json::texts(["CAP_CHOWN", "CAP_NET_BIND_SERVICE"])
        );
        assert_eq!(capability_names("0"), Json::texts(Vec::<String>::new()));
        assert_eq!(capability_names(""), Json::Null);
    }

    #[test]
    fn a_limit_has_a_soft_and_a_hard_value() {
        let line = "Max open files            1024                 unlimited            files     ";
        let expected = Json::object([("soft", Json::Number(1024)), ("hard", Json::Number(-1))]);
        assert_eq!(rlimit(line), Some(("open files".to_owned(), expected)));
    }

    #[test]
    fn a_mount_is_read_from_mountinfo() {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let Some(Json::Object(members)) = mount(line) else {
            panic!("not read")
        };
        assert!(members.contains(&("destination".to_owned(), text("/mnt2"))));
        assert!(members.contains(&("type".to_owned(), text("ext3"))));
        assert!(members.contains(&("options".to_owned(), Json::texts(["rw", "noatime"]))));
    }
}
