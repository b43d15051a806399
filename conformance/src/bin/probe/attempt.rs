//! What the kernel lets this process do: calls that are tried, each answered by `ok` or the name of its error.
#![allow(unsafe_code)]

use std::{
    ffi::{CString, c_char, c_int, c_long, c_uint, c_ulong, c_void},
    fs,
    io::{self, Read},
    ptr,
};

use crate::json::Json;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn mount(
        from: *const c_char,
        to: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_void,
    ) -> c_int;
    fn unshare(flags: c_int) -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
    fn mknod(path: *const c_char, mode: c_uint, device: u64) -> c_int;
    fn clock_gettime(clock: c_int, time: *mut [i64; 2]) -> c_int;
    fn clock_settime(clock: c_int, time: *const [i64; 2]) -> c_int;
}

/// Numbers of the calls that the C library has no function for.
#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const CLONE: i64 = 56;
    pub(super) const REBOOT: i64 = 169;
    pub(super) const KEXEC_LOAD: i64 = 246;
    pub(super) const KEYCTL: i64 = 250;
    pub(super) const BPF: i64 = 321;
}
#[cfg(not(target_arch = "x86_64"))]
mod number {
    pub(super) const CLONE: i64 = 220;
    pub(super) const REBOOT: i64 = 142;
    pub(super) const KEXEC_LOAD: i64 = 104;
    pub(super) const KEYCTL: i64 = 219;
    pub(super) const BPF: i64 = 280;
}

/// Names of errors, as of Linux.
const ERRORS: [(i32, &str); 18] = [
    (1, "EPERM"),
    (2, "ENOENT"),
    (6, "ENXIO"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (26, "ETXTBSY"),
    (28, "ENOSPC"),
    (30, "EROFS"),
    (38, "ENOSYS"),
    (95, "EOPNOTSUPP"),
    (123, "ENOMEDIUM"),
    (126, "ENOKEY"),
];

/// Tries each, `WHAT` or `WHAT:ARG...`; nothing that it does reaches further than the container, should it be allowed.
pub(crate) fn attempt(all: &[String]) -> Result<Json, String> {
    let tried = all.iter().map(|one| {
        let words: Vec<&str> = one.split(':').collect();
        let result = try_one(&words).ok_or_else(|| format!("try: {one} is not known"))?;
        Ok((one.clone(), Json::Text(outcome(result))))
    });
    Ok(Json::Object(tried.collect::<Result<_, String>>()?))
}

/// How much there is at each path: bytes of a file, up to a page, or entries of a directory; none where nothing is.
pub(crate) fn count(paths: &[String]) -> Json {
    Json::object(paths.iter().map(|path| {
        let amount = match amount(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Json::Text(name_of(&error)),
            amount => Json::Number(amount.unwrap_or(0)),
        };
        (path, amount)
    }))
}

fn amount(path: &str) -> io::Result<i128> {
    if fs::metadata(path)?.is_dir() {
        return Ok(fs::read_dir(path)?.map(|_| 1).sum());
    }
    let mut page = [0; 4096];
    Ok(fs::File::open(path)?
        .read(&mut page)?
        .try_into()
        .unwrap_or(i128::MAX))
}

fn outcome(result: io::Result<()>) -> String {
    result.map_or_else(|error| name_of(&error), |()| "ok".to_owned())
}

fn name_of(error: &io::Error) -> String {
    let number = error.raw_os_error().unwrap_or_default();
    let known = ERRORS.iter().find(|(n, _)| *n == number);
    known.map_or_else(|| error.to_string(), |(_, name)| (*name).to_owned())
}

fn try_one(words: &[&str]) -> Option<io::Result<()>> {
    Some(match words {
        ["mount", path] => mount_tmpfs(path),
        ["unshare-user"] => unshare_user(),
        ["clone-user"] => clone_user(),
        // With numbers that reboot nothing.
        ["reboot"] => call(number::REBOOT, [0; 4]),
        // With a flag that does not exist.
        ["kexec_load"] => call(number::KEXEC_LOAD, [0, 0, 0, 0x4000]),
        ["bpf"] => make_map(),
        // KEYCTL_GET_KEYRING_ID of the session's keyring, without making one.
        ["keyctl"] => call(number::KEYCTL, [0, -3, 0, 0]),
        ["clock_settime"] => set_clock(),
        ["mknod", path, kind, major, minor] => {
            make_node(path, kind, major.parse().ok()?, minor.parse().ok()?)
        }
        ["read", path] => fs::OpenOptions::new().read(true).open(path).map(drop),
        // Opened alone: nothing is written.
        ["write", path] => fs::OpenOptions::new().write(true).open(path).map(drop),
        ["create", path] => fs::File::create_new(path).map(drop),
        _ => return None,
    })
}

/// A call with numbers for arguments.
fn call(number: c_long, [a, b, c, d]: [c_long; 4]) -> io::Result<()> {
    // SAFETY: none of the arguments is an address.
    answer(unsafe { syscall(number, a, b, c, d) })
}

const CLONE_NEWUSER: c_int = 0x1000_0000;

fn unshare_user() -> io::Result<()> {
    // SAFETY: no addresses are given.
    answer(unsafe { unshare(CLONE_NEWUSER) }.into())
}

/// A child in a user namespace of its own, which ends at once.
fn clone_user() -> io::Result<()> {
    const SIGCHLD: c_int = 17;
    let flags = c_long::from(CLONE_NEWUSER | SIGCHLD);
    // SAFETY: no addresses are given, and there is one thread, so that the child is as after a fork.
    let child = unsafe { syscall(number::CLONE, flags, 0_i64, 0_i64, 0_i64, 0_i64) };
    if child == 0 {
        // SAFETY: nothing of the parent's is touched.
        unsafe { _exit(0) }
    }
    answer(child)?;
    let child = c_int::try_from(child).map_err(io::Error::other)?;
    // SAFETY: a null status is allowed.
    answer(unsafe { waitpid(child, ptr::null_mut(), 0) }.into())
}

fn answer(result: c_long) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn text(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(io::Error::other)
}

fn mount_tmpfs(path: &str) -> io::Result<()> {
    let path = text(path)?;
    let kind = c"tmpfs".as_ptr();
    // SAFETY: the texts outlive the call.
    answer(unsafe { mount(kind, path.as_ptr(), kind, 0, ptr::null()) }.into())
}

/// An array of one element, the least that BPF can do.
fn make_map() -> io::Result<()> {
    const ARRAY: [u32; 5] = [2, 4, 4, 1, 0];
    // SAFETY: BPF_MAP_CREATE reads the attributes, which outlive the call.
    answer(unsafe { syscall(number::BPF, 0_i64, ARRAY.as_ptr(), size_of_val(&ARRAY)) })
}

/// To the time that it has.
fn set_clock() -> io::Result<()> {
    let mut now = [0; 2];
    // SAFETY: on 64-bit Linux a timespec is two numbers of 64 bits.
    answer(unsafe { clock_gettime(0, &raw mut now) }.into())?;
    // SAFETY: as above.
    answer(unsafe { clock_settime(0, &raw const now) }.into())
}

fn make_node(path: &str, kind: &str, major: u64, minor: u64) -> io::Result<()> {
    let mode = match kind {
        "b" => 0o060_666,
        "c" => 0o020_666,
        _ => return Err(io::Error::other("neither b nor c")),
    };
    let path = text(path)?;
    let device = (minor & 0xff) | (major & 0xfff) << 8 | (minor & !0xff) << 12;
    // SAFETY: the path outlives the call.
    answer(unsafe { mknod(path.as_ptr(), mode, device) }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_name() {
        let all = ["read:/no-such-file".to_owned(), "read:/".to_owned()];
        let expected = [("read:/no-such-file", "ENOENT"), ("read:/", "ok")];
        let expected = Json::object(expected.map(|(key, name)| (key, Json::Text(name.to_owned()))));
        assert_eq!(attempt(&all), Ok(expected));
        assert!(attempt(&["no-such".to_owned()]).is_err());
    }
}
