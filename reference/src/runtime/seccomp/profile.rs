//! A seccomp profile as files have it: in the form of the OCI, or in Docker's, whose rules have conditions.

use std::error::Error;

use nix::{errno::Errno, sys::utsname::uname};
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompBuilder,
    LinuxSeccompFilterFlag, LinuxSyscall, LinuxSyscallBuilder,
};
use serde::Deserialize;

use super::{super::filter::compile, machine};
use crate::sys::capabilities::{CapabilitySet, named};

/// Arguments of a system call.
const ARGUMENTS: usize = 6;
/// Numbers of errors end here.
const LAST_ERROR: u32 = 4095;

/// A profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    default_action: LinuxSeccompAction,
    default_errno_ret: Option<u32>,
    default_errno: Option<String>,
    architectures: Option<Vec<Arch>>,
    arch_map: Option<Vec<ArchMap>>,
    flags: Option<Vec<LinuxSeccompFilterFlag>>,
    syscalls: Option<Vec<Rule>>,
}

/// The architectures whose programs run on a machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: Arch,
    sub_architectures: Option<Vec<Arch>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    errno: Option<String>,
    args: Option<Vec<LinuxSeccompArg>>,
    #[serde(default)]
    includes: Option<Condition>,
    #[serde(default)]
    excludes: Option<Condition>,
}

/// When a rule counts, or does not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    arches: Option<Vec<String>>,
    caps: Option<Vec<String>>,
    min_kernel: Option<String>,
}

impl Profile {
    /// Reads one that was checked.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Reads and checks one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile = Self::read(text)?;
        // Also those whose conditions are not met: the same file should not be right for one container and wrong for another.
        for rule in profile.syscalls.iter().flatten() {
            rule.counts(CapabilitySet::all())?;
            rule.resolved()?;
        }
        let filter = profile.resolve(CapabilitySet::empty())?;
        compile(&filter).map_err(|error| match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })?;
        Ok(profile)
    }

    /// As it holds on this machine for a container with these capabilities.
    ///
    /// # Errors
    /// What is wrong with it; nothing, after [`Profile::parse`].
    pub fn resolve(&self, bounding: CapabilitySet) -> Result<LinuxSeccomp, String> {
        if self.default_action == LinuxSeccompAction::ScmpActNotify {
            return Err(NOTIFY.into());
        }
        let mut syscalls = Vec::new();
        for rule in self.syscalls.iter().flatten() {
            if rule.counts(bounding)? {
                syscalls.push(rule.resolved()?);
            }
        }
        let mut filter = LinuxSeccompBuilder::default()
            .default_action(self.default_action)
            .architectures(self.architectures()?)
            .flags(self.flags.clone().unwrap_or_default())
            .syscalls(syscalls)
            .build()
            .map_err(|error| error.to_string())?;
        let error = error_number(self.default_errno_ret, self.default_errno.as_deref())?;
        filter.set_default_errno_ret(error);
        Ok(filter)
    }

    fn architectures(&self) -> Result<Vec<Arch>, String> {
        let given = self.architectures.clone().unwrap_or_default();
        let Some(map) = self.arch_map.as_ref().filter(|map| !map.is_empty()) else {
            return Ok(given);
        };
        if !given.is_empty() {
            return Err("it has both architectures and archMap".into());
        }
        let mut found = Vec::new();
        for entry in map
            .iter()
            .filter(|entry| entry.architecture == machine::ARCH)
        {
            found.push(entry.architecture);
            found.extend(entry.sub_architectures.iter().flatten());
        }
        Ok(found)
    }
}

const NOTIFY: &str = "SCMP_ACT_NOTIFY needs a supervisor, and there is none";

impl Rule {
    fn counts(&self, bounding: CapabilitySet) -> Result<bool, String> {
        let included = self.includes.as_ref().map(|only| only.is_met(bounding));
        let excluded = self.excludes.as_ref().map(|not| not.applies(bounding));
        Ok(included.unwrap_or(Ok(true))? && !excluded.unwrap_or(Ok(false))?)
    }

    fn resolved(&self) -> Result<LinuxSyscall, String> {
        let names = match (&self.name, &self.names) {
            (Some(name), None) => vec![name.clone()],
            (None, Some(names)) if !names.is_empty() => names.clone(),
            _ => return Err("a rule has not either name or names".into()),
        };
        if self.action == LinuxSeccompAction::ScmpActNotify {
            return Err(NOTIFY.into());
        }
        let arguments = self.args.clone().unwrap_or_default();
        if let Some(wrong) = arguments.iter().find(|one| one.index() >= ARGUMENTS) {
            return Err(format!("a rule names argument {} of 0 to 5", wrong.index()));
        }
        let mut rule = LinuxSyscallBuilder::default()
            .names(names)
            .action(self.action)
            .build()
            .map_err(|error| error.to_string())?;
        rule.set_errno_ret(error_number(self.errno_ret, self.errno.as_deref())?);
        rule.set_args(Some(arguments).filter(|arguments| !arguments.is_empty()));
        Ok(rule)
    }
}

impl Condition {
    /// Whether everything that it says is so here: one of the architectures, all capabilities, the kernel.
    fn is_met(&self, bounding: CapabilitySet) -> Result<bool, String> {
        let (arches, caps) = self.lists();
        let is_here = arches.is_empty() || arches.iter().any(|name| name == machine::NAME);
        let has_all = caps.iter().all(|name| holds(bounding, name));
        Ok(is_here && has_all && self.kernel()?.unwrap_or(true))
    }

    /// Whether anything that it says is so here.
    fn applies(&self, bounding: CapabilitySet) -> Result<bool, String> {
        let (arches, caps) = self.lists();
        let is_here = arches.iter().any(|name| name == machine::NAME);
        let has_one = caps.iter().any(|name| holds(bounding, name));
        Ok(is_here || has_one || self.kernel()?.unwrap_or(false))
    }

    fn lists(&self) -> (&[String], &[String]) {
        let list = |list| Option::as_deref(list).unwrap_or_default();
        (list(&self.arches), list(&self.caps))
    }

    /// Whether the kernel is at least the one named; `None` if none is.
    fn kernel(&self) -> Result<Option<bool>, String> {
        let Some(wanted) = self.min_kernel.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let wanted =
            version(wanted).ok_or_else(|| format!("minKernel {wanted:?} is no version"))?;
        let release = uname().map_err(|error| error.to_string())?;
        let running = version(&release.release().to_string_lossy());
        Ok(Some(running.is_none_or(|running| running >= wanted)))
    }
}

fn holds(bounding: CapabilitySet, name: &str) -> bool {
    named(name).is_some_and(|one| bounding.contains(one))
}

/// `6.1.0-13-amd64` is (6, 1).
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

/// An error by its number or its name.
fn error_number(number: Option<u32>, name: Option<&str>) -> Result<Option<u32>, String> {
    let named = |name: &str| {
        let known = |number: &u32| {
            i32::try_from(*number)
                .is_ok_and(|number| format!("{:?}", Errno::from_raw(number)) == name)
        };
        (1..=LAST_ERROR).find(known)
    };
    match (number, name.filter(|name| !name.is_empty())) {
        (Some(number), _) if number <= LAST_ERROR => Ok(Some(number)),
        (Some(number), _) => Err(format!("{number} is the number of no error")),
        (None, Some(name)) => {
            let number = named(name).ok_or_else(|| format!("{name:?} is the name of no error"))?;
            Ok(Some(number))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn profile(syscalls: &Value) -> Result<Profile, String> {
        let profile = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": syscalls });
        Profile::parse(&profile.to_string())
    }

    fn names(profile: &Profile, bounding: CapabilitySet) -> Vec<String> {
        let filter = profile.resolve(bounding).unwrap();
        let rules = filter.syscalls().iter().flatten();
        rules.flat_map(|rule| rule.names().clone()).collect()
    }

    fn rule(name: &str, conditions: &Value) -> Value {
        let mut rule = json!({ "names": [name], "action": "SCMP_ACT_ERRNO", "args": null });
        let conditions = conditions.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(conditions);
        rule
    }

    #[test]
    fn rules_count_by_their_conditions() {
        let (here, admin, kill) = (machine::NAME, "CAP_SYS_ADMIN", "CAP_KILL");
        let profile = profile(&json!([
            rule(
                "always",
                &json!({ "includes": {}, "excludes": {}, "comment": "" })
            ),
            rule(
                "here",
                &json!({ "includes": { "arches": ["no-such", here] } })
            ),
            rule(
                "elsewhere",
                &json!({ "includes": { "arches": ["no-such"] } })
            ),
            rule("not-here", &json!({ "excludes": { "arches": [here] } })),
            rule(
                "with-both",
                &json!({ "includes": { "caps": [admin, kill] } })
            ),
            rule("with-one", &json!({ "includes": { "caps": [admin] } })),
            rule(
                "without-any",
                &json!({ "excludes": { "caps": [admin, kill] } })
            ),
            rule("of-old", &json!({ "includes": { "minKernel": "3.0" } })),
            rule("to-come", &json!({ "includes": { "minKernel": "999.1" } })),
            rule("until", &json!({ "excludes": { "minKernel": "999.1" } })),
            rule("no-more", &json!({ "excludes": { "minKernel": "3.0" } })),
        ]))
        .unwrap();
        let none = names(&profile, CapabilitySet::empty());
        assert_eq!(none, ["always", "here", "without-any", "of-old", "until"]);
        let one = names(&profile, CapabilitySet::SYS_ADMIN);
        assert_eq!(one, ["always", "here", "with-one", "of-old", "until"]);
        let both = names(&profile, CapabilitySet::SYS_ADMIN | CapabilitySet::KILL);
        assert_eq!(
            both,
            ["always", "here", "with-both", "with-one", "of-old", "until"]
        );
    }

    #[test]
    fn errors_have_numbers_or_names() {
        let text = r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "syscalls": [
            {"name": "a", "action": "SCMP_ACT_ERRNO", "errno": "EBUSY"},
            {"name": "b", "action": "SCMP_ACT_ERRNO", "errnoRet": 7, "errno": "EBUSY"}]}"#;
        let filter = Profile::parse(text)
            .unwrap()
            .resolve(CapabilitySet::empty())
            .unwrap();
        assert_eq!(filter.default_errno_ret(), Some(38));
        let rules = filter.syscalls().iter().flatten();
        let errors: Vec<_> = rules.map(LinuxSyscall::errno_ret).collect();
        assert_eq!(errors, [Some(16), Some(7)]);
    }

    #[test]
    fn the_map_tells_the_architectures_of_this_machine() {
        let text = r#"{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null}]}"#;
        let filter = Profile::parse(text)
            .unwrap()
            .resolve(CapabilitySet::empty())
            .unwrap();
        let architectures = filter.architectures().clone().unwrap();
        assert_eq!(architectures[0], machine::ARCH);
        assert_eq!(
            architectures.len(),
            if cfg!(target_arch = "x86_64") { 3 } else { 1 }
        );
    }

    #[rstest]
    #[case::no_json("{")]
    #[case::no_object("[]")]
    #[case::no_default_action(r#"{"syscalls": []}"#)]
    #[case::unknown_action(r#"{"defaultAction": "SCMP_ACT_MAYBE"}"#)]
    #[case::notify(r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#)]
    #[case::architectures_twice(r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}"#)]
    #[case::unknown_error(r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EWHAT"}"#)]
    #[case::huge_error(r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 65537}"#)]
    fn what_is_no_profile_is_refused(#[case] text: &str) {
        assert!(Profile::parse(text).is_err());
    }

    #[rstest]
    #[case::without_a_name(json!([{ "action": "SCMP_ACT_ERRNO" }]))]
    #[case::two_names(json!([{ "name": "a", "names": ["b"], "action": "SCMP_ACT_ERRNO" }]))]
    #[case::without_an_action(json!([{ "name": "a" }]))]
    #[case::notify(json!([{ "name": "a", "action": "SCMP_ACT_NOTIFY" }]))]
    #[case::argument(json!([{ "name": "a", "action": "SCMP_ACT_ERRNO", "args": [{ "index": 6, "value": 0, "op": "SCMP_CMP_EQ" }] }]))]
    #[case::comparison(json!([{ "name": "a", "action": "SCMP_ACT_ERRNO", "args": [{ "index": 0, "value": 0, "op": "LIKE" }] }]))]
    #[case::kernel(json!([{ "name": "a", "action": "SCMP_ACT_ERRNO", "includes": { "minKernel": "new" } }]))]
    fn a_rule_that_cannot_hold_is_refused(#[case] syscalls: Value) {
        assert!(profile(&syscalls).is_err());
    }
}
