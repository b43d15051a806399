//! Create's modes of namespaces: `private`, `host` and `container:NAME`; and the claim on the container that is named.

use crate::{
    engine::{CreateRequest, EngineError, Result, containers::Containers, state::Phase},
    settings::Namespace,
    store::ContainerId,
};

/// Before the name of another container.
pub(super) const CONTAINER: &str = "container:";

/// The fields that can name another container.
fn modes(request: &mut CreateRequest) -> [(&'static str, &mut Option<String>); 3] {
    let namespaces = &mut request.namespaces;
    [
        ("net_mode", &mut request.network.net_mode),
        ("ipc_mode", &mut namespaces.ipc_mode),
        ("pid_mode", &mut namespaces.pid_mode),
    ]
}

/// Puts the ids of other containers in the place of their names, and makes `user`, which is being created, a user of theirs: from
/// now on they cannot be removed.
///
/// # Errors
/// The field and the name, if there is no such container or it is being removed. What was claimed stays claimed.
pub(super) fn claim(
    request: &mut CreateRequest,
    user: &ContainerId,
    containers: &mut Containers,
) -> Result<()> {
    for (field, mode) in modes(request) {
        let Some(name) = mode
            .as_deref()
            .and_then(|mode| mode.strip_prefix(CONTAINER))
        else {
            continue;
        };
        let refused =
            |why: &str| EngineError::Refused(format!("{field}: {CONTAINER}{name}: {why}"));
        let used = match containers.find(name) {
            Err(EngineError::ContainerNotFound { .. }) => {
                return Err(refused("there is no such container"));
            }
            Err(error) => return Err(refused(&error.to_string())),
            Ok(used) => used,
        };
        if matches!(used.state().phase, Phase::Removing | Phase::Removed) {
            return Err(refused("it is being removed"));
        }
        containers.add_user(used.record.id.clone(), user);
        *mode = Some(format!("{CONTAINER}{}", used.id()));
    }
    Ok(())
}

/// Reads a mode, in which other containers are named by their ids already; the error names the field and the word.
pub(super) fn read(field: &str, mode: Option<&str>) -> std::result::Result<Namespace, String> {
    match mode {
        None | Some("" | "private") => Ok(Namespace::Private),
        Some("host") => Ok(Namespace::Host),
        Some(mode) => match mode.strip_prefix(CONTAINER) {
            Some(id) => Ok(Namespace::Container(id.to_owned())),
            None => Err(format!(
                "{field}: {mode:?} is not host, private or {CONTAINER}NAME"
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, Namespace::Private)]
    #[case(Some("private"), Namespace::Private)]
    #[case(Some("host"), Namespace::Host)]
    #[case(Some("container:c1"), Namespace::Container("c1".into()))]
    fn a_mode_says_whose_the_namespace_is(#[case] mode: Option<&str>, #[case] whose: Namespace) {
        assert_eq!(read("ipc_mode", mode), Ok(whose));
    }

    #[rstest]
    #[case("shareable")]
    #[case("Host")]
    #[case("host ")]
    #[case("ns:/proc/1/ns/ipc")]
    fn another_word_is_refused_with_its_field(#[case] mode: &str) {
        let error = read("ipc_mode", Some(mode)).unwrap_err();
        assert!(
            error.contains("ipc_mode") && error.contains(mode),
            "{error}"
        );
    }
}
