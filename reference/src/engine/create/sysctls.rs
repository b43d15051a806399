//! Create's field: sys_ctl.

use std::collections::BTreeMap;

/// The parameters of an IPC namespace by name; all of `fs.mqueue` besides.
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
];

/// The namespaces that a container has for itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) network: bool,
    pub(super) ipc: bool,
}

/// Parameters that reach no further than the container; the error names the field and the parameter.
pub(super) fn check(
    given: &BTreeMap<String, String>,
    own: Own,
) -> Result<BTreeMap<String, String>, String> {
    for (name, value) in given {
        let refused = |why: &str| Err(format!("sys_ctl: {name}: {why}"));
        let is_own = if name.starts_with("net.") {
            own.network
        } else if IPC.contains(&name.as_str()) || name.starts_with("fs.mqueue.") {
            own.ipc
        } else {
            return refused("it is no parameter of a container's namespaces");
        };
        if !is_own {
            return refused("its namespace is not the container's own");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:@".contains(&byte);
        let well_formed = |part: &str| !part.is_empty() && part.bytes().all(plain);
        if !name.split('.').all(well_formed) {
            return refused("it is no name of a parameter");
        }
        if value.contains('\0') {
            return refused("its value holds a NUL");
        }
    }
    Ok(given.clone())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ALONE: Own = Own {
        network: true,
        ipc: true,
    };

    fn one(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[rstest]
    #[case("net.ipv4.ip_forward")]
    #[case("net.ipv4.conf.eth0.forwarding")]
    #[case("kernel.sem")]
    #[case("kernel.shmmax")]
    #[case("fs.mqueue.msg_max")]
    fn parameters_of_own_namespaces_are_taken(#[case] name: &str) {
        let given = one(name, "1 2");
        assert_eq!(check(&given, ALONE), Ok(given));
    }

    #[rstest]
    #[case("kernel.panic", "1")]
    #[case("kernel.hostname", "x")]
    #[case("kernel.shm", "1")]
    #[case("vm.swappiness", "1")]
    #[case("fs.file-max", "1")]
    #[case("net", "1")]
    #[case("net.", "1")]
    #[case("net...kernel", "1")]
    #[case("net.x/../../kernel/panic", "1")]
    #[case("net/ipv4/ip_forward", "1")]
    #[case("", "1")]
    #[case("net.ipv4.ip_forward", "\0")]
    fn others_are_refused_by_name(#[case] name: &str, #[case] value: &str) {
        let error = check(&one(name, value), ALONE).unwrap_err();
        assert!(
            error.starts_with("sys_ctl: ") && error.contains(name),
            "{error}"
        );
    }

    #[test]
    fn so_are_those_of_a_shared_namespace() {
        let no_network = Own {
            network: false,
            ..ALONE
        };
        assert!(check(&one("net.ipv4.ip_forward", "1"), no_network).is_err());
        assert!(check(&one("kernel.sem", "1"), no_network).is_ok());
        let no_ipc = Own {
            ipc: false,
            ..ALONE
        };
        assert!(check(&one("kernel.sem", "1"), no_ipc).is_err());
        assert!(check(&one("fs.mqueue.msg_max", "1"), no_ipc).is_err());
    }
}
