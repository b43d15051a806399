//! Compiles seccomp profiles to the kernel's programs.

use std::{
    collections::HashSet,
    io::{self, Read},
    sync::{Mutex, PoisonError},
};

use libseccomp::{
    ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
    error::SeccompError,
};
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag,
    LinuxSeccompOperator, LinuxSyscall,
};

use crate::sys::seccomp::{Filter, Flags};

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum Uncompiled {
    /// libseccomp does not take it.
    #[error("the seccomp profile cannot be compiled")]
    Refused(#[from] SeccompError),
    /// It hands calls to a program outside, and there is none.
    #[error("the seccomp profile hands system calls to a listener (SCMP_ACT_NOTIFY)")]
    Notify,
    /// It answers calls with a number that is no errno.
    #[error("the seccomp profile names an errno that is none: {0}")]
    Errno(u32),
    /// The kernel takes 4096 instructions.
    #[error("the seccomp profile makes a program that is too long")]
    TooLong,
    /// The program could not be taken over from libseccomp.
    #[error("the compiled seccomp profile cannot be read")]
    Unread(#[from] io::Error),
}

/// The program of a profile. Making one takes longer than all the rest of a start, and nearly all containers have the same
/// profile; so the last one is kept.
pub(super) fn compiled(profile: &LinuxSeccomp) -> Result<Filter, Uncompiled> {
    static LAST: Mutex<Option<(LinuxSeccomp, Filter)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((of, filter)) if of == profile => Ok(filter.clone()),
        _ => {
            let filter = compile(profile)?;
            *last = Some((profile.clone(), filter.clone()));
            Ok(filter)
        }
    }
}

/// The same, without keeping it.
pub(super) fn compile(profile: &LinuxSeccomp) -> Result<Filter, Uncompiled> {
    let default = action(profile.default_action(), profile.default_errno_ret())?;
    let mut context = ScmpFilterContext::new(default)?;
    for arch in profile.architectures().iter().flatten() {
        context.add_arch(translated(*arch))?;
    }
    // A search tree in place of a list that every call walks through. An older library has only the list.
    let _ = context.set_ctl_optimize(2);
    for rule in profile.syscalls().iter().flatten() {
        add(&mut context, rule, default)?;
    }
    let (mut reader, writer) = io::pipe()?;
    // A program has at most 32 KiB, and a pipe takes 64.
    context.export_bpf(&writer)?;
    drop(writer);
    let mut program = Vec::new();
    reader.read_to_end(&mut program)?;
    Filter::from_bytes(&program, flags(profile)).ok_or(Uncompiled::TooLong)
}

fn flags(profile: &LinuxSeccomp) -> Flags {
    let has = |flag| profile.flags().iter().flatten().any(|f| *f == flag);
    Flags {
        log: has(LinuxSeccompFilterFlag::SeccompFilterFlagLog),
        allow_speculation: has(LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow),
    }
}

fn add(
    context: &mut ScmpFilterContext,
    rule: &LinuxSyscall,
    default: ScmpAction,
) -> Result<(), Uncompiled> {
    let action = action(rule.action(), rule.errno_ret())?;
    // The library refuses what changes nothing.
    if action == default {
        return Ok(());
    }
    let arguments: Vec<ScmpArgCompare> = rule.args().iter().flatten().map(comparison).collect();
    let indices = rule.args().iter().flatten().map(LinuxSeccompArg::index);
    // One rule looks at an argument once: several conditions on one are rules of their own, of which one is enough.
    let several = indices.clone().collect::<HashSet<_>>().len() < indices.count();
    // A name that the library does not know is a call that this kernel has not either.
    for name in rule.names() {
        let Ok(call) = ScmpSyscall::from_name(name) else {
            continue;
        };
        if several {
            for argument in arguments.chunks(1) {
                context.add_rule_conditional(action, call, argument)?;
            }
        } else {
            context.add_rule_conditional(action, call, &arguments)?;
        }
    }
    Ok(())
}

fn comparison(argument: &LinuxSeccompArg) -> ScmpArgCompare {
    let operator = match argument.op() {
        LinuxSeccompOperator::ScmpCmpNe => ScmpCompareOp::NotEqual,
        LinuxSeccompOperator::ScmpCmpLt => ScmpCompareOp::Less,
        LinuxSeccompOperator::ScmpCmpLe => ScmpCompareOp::LessOrEqual,
        LinuxSeccompOperator::ScmpCmpEq => ScmpCompareOp::Equal,
        LinuxSeccompOperator::ScmpCmpGe => ScmpCompareOp::GreaterEqual,
        LinuxSeccompOperator::ScmpCmpGt => ScmpCompareOp::Greater,
        // Here the value is the mask, and the second value what is left.
        LinuxSeccompOperator::ScmpCmpMaskedEq => ScmpCompareOp::MaskedEqual(argument.value()),
    };
    let value = match argument.op() {
        LinuxSeccompOperator::ScmpCmpMaskedEq => argument.value_two().unwrap_or_default(),
        _ => argument.value(),
    };
    ScmpArgCompare::new(
        u32::try_from(argument.index()).unwrap_or(u32::MAX),
        operator,
        value,
    )
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<ScmpAction, Uncompiled> {
    const EPERM: u32 = 1;
    let number = errno.unwrap_or(EPERM);
    let small = u16::try_from(number).map_err(|_| Uncompiled::Errno(number));
    Ok(match action {
        LinuxSeccompAction::ScmpActAllow => ScmpAction::Allow,
        LinuxSeccompAction::ScmpActErrno => ScmpAction::Errno(small?.into()),
        LinuxSeccompAction::ScmpActTrace => ScmpAction::Trace(small?),
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => {
            ScmpAction::KillThread
        }
        LinuxSeccompAction::ScmpActKillProcess => ScmpAction::KillProcess,
        LinuxSeccompAction::ScmpActTrap => ScmpAction::Trap,
        LinuxSeccompAction::ScmpActLog => ScmpAction::Log,
        LinuxSeccompAction::ScmpActNotify => return Err(Uncompiled::Notify),
    })
}

fn translated(arch: Arch) -> ScmpArch {
    match arch {
        Arch::ScmpArchNative => ScmpArch::Native,
        Arch::ScmpArchX86 => ScmpArch::X86,
        Arch::ScmpArchX86_64 => ScmpArch::X8664,
        Arch::ScmpArchX32 => ScmpArch::X32,
        Arch::ScmpArchArm => ScmpArch::Arm,
        Arch::ScmpArchAarch64 => ScmpArch::Aarch64,
        Arch::ScmpArchMips => ScmpArch::Mips,
        Arch::ScmpArchMips64 => ScmpArch::Mips64,
        Arch::ScmpArchMips64n32 => ScmpArch::Mips64N32,
        Arch::ScmpArchMipsel => ScmpArch::Mipsel,
        Arch::ScmpArchMipsel64 => ScmpArch::Mipsel64,
        Arch::ScmpArchMipsel64n32 => ScmpArch::Mipsel64N32,
        Arch::ScmpArchPpc => ScmpArch::Ppc,
        Arch::ScmpArchPpc64 => ScmpArch::Ppc64,
        Arch::ScmpArchPpc64le => ScmpArch::Ppc64Le,
        Arch::ScmpArchS390 => ScmpArch::S390,
        Arch::ScmpArchS390x => ScmpArch::S390X,
        Arch::ScmpArchRiscv64 => ScmpArch::Riscv64,
        Arch::ScmpArchParisc => ScmpArch::Parisc,
        Arch::ScmpArchParisc64 => ScmpArch::Parisc64,
        Arch::ScmpArchLoongarch64 => ScmpArch::Loongarch64,
        Arch::ScmpArchM68k => ScmpArch::M68k,
        Arch::ScmpArchSh => ScmpArch::Sh,
        Arch::ScmpArchSheb => ScmpArch::Sheb,
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::runtime::seccomp::default_profile;

    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    const EPERM: u32 = ERRNO | 1;
    const ENOSYS: u32 = ERRNO | 38;

    const X86_64: u32 = 0xc000_003e;
    const I386: u32 = 0x4000_0003;

    /// What the default filter makes of a call, as the kernel would.
    fn decision(arch: u32, call: i32, arguments: [u64; 6]) -> u32 {
        let mut data = call.to_ne_bytes().to_vec();
        data.extend(arch.to_ne_bytes());
        data.extend(0_u64.to_ne_bytes());
        data.extend(arguments.iter().flat_map(|a| a.to_ne_bytes()));
        let program = compiled(&default_profile().unwrap()).unwrap().to_bytes();
        interpret(&program, &data)
    }

    fn interpret(program: &[u8], data: &[u8]) -> u32 {
        let word = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().unwrap());
        let (mut at, mut a) = (0, 0_u32);
        loop {
            let i = &program[8 * at..8 * at + 8];
            let (code, k) = (u16::from_ne_bytes([i[0], i[1]]), word(&i[4..]));
            let target = usize::try_from(k).unwrap();
            let jump = |taken: bool| usize::from(if taken { i[2] } else { i[3] });
            at += 1 + match code {
                0x05 => target,
                0x15 => jump(a == k),
                0x25 => jump(a > k),
                0x35 => jump(a >= k),
                0x45 => jump(a & k != 0),
                0x06 => return k,
                0x20 => {
                    a = word(&data[target..target + 4]);
                    0
                }
                0x54 => {
                    a &= k;
                    0
                }
                other => panic!("instruction {other:#x}"),
            };
        }
    }

    fn number(name: &str, arch: ScmpArch) -> Option<i32> {
        let call = ScmpSyscall::from_name_by_arch(name, arch).ok()?;
        Some(i32::from(call)).filter(|number| *number >= 0)
    }

    #[rstest]
    #[case::native(X86_64, ScmpArch::X8664)]
    #[case::of_32_bits(I386, ScmpArch::X86)]
    fn what_the_profile_allows_the_filter_allows(#[case] arch: u32, #[case] library: ScmpArch) {
        let profile = default_profile().unwrap();
        let mut seen = 0;
        for rule in profile.syscalls().iter().flatten() {
            if rule.args().is_some() || rule.action() != LinuxSeccompAction::ScmpActAllow {
                continue;
            }
            for name in rule.names() {
                if let Some(number) = number(name, library) {
                    assert_eq!(decision(arch, number, [0; 6]), ALLOW, "{name}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 200, "{seen}");
    }

    #[rstest]
    #[case("mount", EPERM)]
    #[case("unshare", EPERM)]
    #[case("keyctl", EPERM)]
    #[case("bpf", EPERM)]
    #[case("reboot", EPERM)]
    #[case("clone3", ENOSYS)]
    fn what_it_does_not_allow_fails(#[case] name: &str, #[case] expected: u32) {
        for (arch, library) in [(X86_64, ScmpArch::X8664), (I386, ScmpArch::X86)] {
            let number = number(name, library).unwrap();
            assert_eq!(decision(arch, number, [0; 6]), expected, "{arch:#x}");
        }
    }

    #[rstest]
    #[case::fork(0x0120_0011, ALLOW)]
    #[case::thread(0x003d_0f00, ALLOW)]
    #[case::new_user_namespace(0x1000_0011, EPERM)]
    #[case::new_mounts(0x0002_0011, EPERM)]
    #[case::new_cgroup_namespace(0x0200_0011, EPERM)]
    fn clone_makes_no_namespaces(#[case] flags: u64, #[case] expected: u32) {
        let number = number("clone", ScmpArch::X8664).unwrap();
        assert_eq!(decision(X86_64, number, [flags, 0, 0, 0, 0, 0]), expected);
    }

    #[test]
    fn a_machine_that_the_profile_does_not_name_can_do_nothing() {
        const AARCH64: u32 = 0xc000_00b7;
        assert_ne!(decision(AARCH64, 63, [0; 6]), ALLOW);
    }

    #[test]
    fn calls_for_a_listener_are_refused() {
        let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}"#;
        let profile = serde_json::from_str(profile).unwrap();
        assert!(matches!(compile(&profile), Err(Uncompiled::Notify)));
    }

    #[test]
    fn a_rule_that_says_the_default_and_a_name_that_nobody_knows_change_nothing() {
        let profile = |syscalls: &str| {
            let text =
                format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{syscalls}]}}"#);
            compile(&serde_json::from_str(&text).unwrap()).unwrap()
        };
        let rules = r#"{"names": ["mkdir"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["no_such_call"], "action": "SCMP_ACT_KILL"}"#;
        assert_eq!(profile(rules), profile(""));
    }
}
