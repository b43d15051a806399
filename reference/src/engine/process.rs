//! What a container runs: the image's configuration and the request, merged.

use oci_spec::image::Config;

use super::{CreateRequest, changes::set_variable, user};
use crate::store::ProcessRecord;

/// For programs that look up others, where neither the image nor the request says where.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Merges; the error names the field.
pub(super) fn resolve(
    request: &CreateRequest,
    image: &Config,
    hostname: &str,
) -> Result<ProcessRecord, String> {
    let (arguments, entrypoint_length) = arguments(request, image)?;
    Ok(ProcessRecord {
        arguments,
        entrypoint_length,
        environment: environment(request, image, hostname)?,
        user: user(request, image)?,
        working_directory: working_directory(request, image)?,
    })
}

/// As it was asked for: the container's own files tell who that is, once they are there.
fn user(request: &CreateRequest, image: &Config) -> Result<String, String> {
    let user = request.security.user.clone();
    let user = user.or_else(|| image.user().clone()).unwrap_or_default();
    for part in user.splitn(2, ':') {
        user::check(part).map_err(|why| format!("user: {why}"))?;
    }
    Ok(user)
}

/// The command line, and how many of its words are the entrypoint's.
fn arguments(request: &CreateRequest, image: &Config) -> Result<(Vec<String>, usize), String> {
    let mut arguments = match &request.entrypoint {
        Some(words) if words.iter().all(String::is_empty) => Vec::new(),
        Some(words) => words.clone(),
        None => image.entrypoint().clone().unwrap_or_default(),
    };
    let entrypoint_length = arguments.len();
    if !request.command.is_empty() {
        arguments.extend(request.command.iter().cloned());
    } else if request.entrypoint.is_none() {
        arguments.extend(image.cmd().iter().flatten().cloned());
    }
    match arguments.first() {
        None => Err("command: neither the request nor the image says what to run".into()),
        Some(program) if program.is_empty() => Err("command: the program's name is empty".into()),
        Some(_) if arguments.iter().any(|argument| argument.contains('\0')) => {
            Err("command: an argument holds a NUL".into())
        }
        Some(_) => Ok((arguments, entrypoint_length)),
    }
}

fn environment(
    request: &CreateRequest,
    image: &Config,
    hostname: &str,
) -> Result<Vec<String>, String> {
    let mut list = vec![
        format!("PATH={PATH}"),
        "container=podman".to_owned(),
        format!("HOSTNAME={hostname}"),
    ];
    if request.stdio.tty {
        list.push("TERM=xterm".to_owned());
    }
    // An entry without '=' would take its value from the environment of the service: there is none to take.
    let from_image = image.env().iter().flatten();
    for (name, value) in from_image.filter_map(|entry| entry.split_once('=')) {
        if !name.is_empty() && !name.contains('\0') && !value.contains('\0') {
            set_variable(&mut list, name, value);
        }
    }
    for (name, value) in &request.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(format!("env: {name:?} cannot be the name of a variable"));
        }
        if value.contains('\0') {
            return Err(format!("env: the value of {name:?} holds a NUL"));
        }
        set_variable(&mut list, name, value);
    }
    Ok(list)
}

fn working_directory(request: &CreateRequest, image: &Config) -> Result<String, String> {
    let image = image
        .working_dir()
        .as_deref()
        .filter(|path| !path.is_empty());
    match (request.work_dir.as_deref(), image) {
        (Some(path), _) if !path.starts_with('/') => {
            Err(format!("work_dir: {path:?} is not an absolute path"))
        }
        (Some(path), _) if path.contains('\0') => Err("work_dir: it holds a NUL".into()),
        (Some(path), _) => Ok(path.into()),
        (None, Some(path)) if path.starts_with('/') => Ok(path.into()),
        (None, Some(path)) => Ok(format!("/{path}")),
        (None, None) => Ok("/".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rstest::rstest;

    use super::*;

    fn image(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&s| s.to_owned()).collect()
    }

    const BOTH: &str = r#"{"Entrypoint": ["/e", "x"], "Cmd": ["c"]}"#;

    #[rstest]
    #[case::image_alone(BOTH, None, &[], &["/e", "x", "c"], 2)]
    #[case::command_replaces_cmd(BOTH, None, &["n"], &["/e", "x", "n"], 2)]
    #[case::entrypoint_drops_cmd(BOTH, Some(&["/n"][..]), &[], &["/n"], 1)]
    #[case::both_given(BOTH, Some(&["/n"][..]), &["m"], &["/n", "m"], 1)]
    #[case::entrypoint_cleared(BOTH, Some(&[][..]), &["m"], &["m"], 0)]
    #[case::cleared_by_an_empty_word(BOTH, Some(&[""][..]), &["m"], &["m"], 0)]
    #[case::cmd_alone(r#"{"Cmd": ["c", ""]}"#, None, &[], &["c", ""], 0)]
    fn arguments_are_entrypoint_then_command(
        #[case] json: &str,
        #[case] entrypoint: Option<&[&str]>,
        #[case] command: &[&str],
        #[case] wanted: &[&str],
        #[case] entrypoint_length: usize,
    ) {
        let request = CreateRequest {
            entrypoint: entrypoint.map(strings),
            command: strings(command),
            ..CreateRequest::default()
        };
        let process = resolve(&request, &image(json), "h").unwrap();
        assert_eq!(process.arguments, wanted);
        assert_eq!(process.entrypoint_length, entrypoint_length);
    }

    #[rstest]
    #[case::nothing("{}", &[])]
    #[case::an_empty_program("{}", &["", "x"])]
    fn without_a_program_it_is_refused(#[case] json: &str, #[case] command: &[&str]) {
        let request = CreateRequest {
            command: strings(command),
            ..CreateRequest::default()
        };
        assert!(
            resolve(&request, &image(json), "h")
                .unwrap_err()
                .contains("command")
        );
    }

    #[test]
    fn variables_of_the_request_win_over_the_images_and_those_over_the_defaults() {
        let request = CreateRequest {
            command: strings(&["x"]),
            env: BTreeMap::from([("B".into(), "new=2".into()), ("C".into(), String::new())]),
            ..CreateRequest::default()
        };
        let image = image(r#"{"Env": ["PATH=/bin", "A=1", "B=old", "HOME", "=x"]}"#);
        let process = resolve(&request, &image, "h").unwrap();
        let wanted = [
            "PATH=/bin",
            "container=podman",
            "HOSTNAME=h",
            "A=1",
            "B=new=2",
            "C=",
        ];
        assert_eq!(process.environment, wanted);
    }

    #[rstest]
    #[case("", "x")]
    #[case("A=B", "x")]
    #[case("A\0", "x")]
    #[case("A", "\0")]
    fn an_impossible_variable_is_refused(#[case] name: &str, #[case] value: &str) {
        let request = CreateRequest {
            command: strings(&["x"]),
            env: BTreeMap::from([(name.into(), value.into())]),
            ..CreateRequest::default()
        };
        assert!(
            resolve(&request, &image("{}"), "h")
                .unwrap_err()
                .contains("env")
        );
    }
}
