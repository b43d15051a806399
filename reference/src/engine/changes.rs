//! The `changes` of ImportImage and Commit: instructions that change an image's configuration.

use oci_spec::image::Config;

use super::{ports, signals, words};

/// Why an instruction cannot be carried out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("change {instruction:?} cannot be carried out: {reason}")]
pub(super) struct InvalidChange {
    instruction: String,
    reason: &'static str,
}

type Outcome = Result<(), &'static str>;

/// Carries out the instructions in their order. After an error `config` is of no use.
pub(super) fn apply(config: &mut Config, instructions: &[String]) -> Result<(), InvalidChange> {
    instructions.iter().try_for_each(|instruction| {
        apply_one(config, instruction).map_err(|reason| InvalidChange {
            instruction: instruction.clone(),
            reason,
        })
    })
}

fn apply_one(config: &mut Config, instruction: &str) -> Outcome {
    let text = instruction.trim_start();
    let divider = text.find(|c: char| c == '=' || c.is_whitespace());
    let (key, value) = match divider {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    let change = match key.to_ascii_uppercase().as_str() {
        "CMD" => cmd,
        "ENTRYPOINT" => entrypoint,
        "ENV" => env,
        "EXPOSE" => expose,
        "LABEL" => label,
        "STOPSIGNAL" => stop_signal,
        "USER" => user,
        "VOLUME" => volume,
        "WORKDIR" => workdir,
        _ => {
            return Err(
                "its key is none of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR",
            );
        }
    };
    if value.is_empty() {
        return Err("it has no value");
    }
    if value.contains('\0') {
        return Err("it holds a NUL");
    }
    change(config, value)
}

fn cmd(config: &mut Config, value: &str) -> Outcome {
    config.set_cmd(some(command(value)?));
    Ok(())
}

fn entrypoint(config: &mut Config, value: &str) -> Outcome {
    config.set_entrypoint(some(command(value)?));
    Ok(())
}

fn env(config: &mut Config, value: &str) -> Outcome {
    let mut list = config.env().clone().unwrap_or_default();
    for (name, value) in assignments(value)? {
        set_variable(&mut list, &name, &value);
    }
    config.set_env(some(list));
    Ok(())
}

fn expose(config: &mut Config, value: &str) -> Outcome {
    let mut list = config.exposed_ports().clone().unwrap_or_default();
    for word in value.split_whitespace() {
        let port = ports::exposed(word).ok_or("it holds no port, as 80, 80/tcp or 80/udp")?;
        add(&mut list, port);
    }
    config.set_exposed_ports(some(list));
    Ok(())
}

fn label(config: &mut Config, value: &str) -> Outcome {
    let mut labels = config.labels().clone().unwrap_or_default();
    labels.extend(assignments(value)?);
    config.set_labels(Some(labels));
    Ok(())
}

fn stop_signal(config: &mut Config, value: &str) -> Outcome {
    signals::parse(value).ok_or("there is no such signal")?;
    config.set_stop_signal(Some(value.to_owned()));
    Ok(())
}

fn user(config: &mut Config, value: &str) -> Outcome {
    let parts: Vec<&str> = value.split(':').collect();
    let valid = parts.len() <= 2 && !parts.iter().any(|part| part.is_empty());
    if !valid || value.contains(char::is_whitespace) {
        return Err("it is not USER or USER:GROUP");
    }
    config.set_user(Some(value.to_owned()));
    Ok(())
}

fn volume(config: &mut Config, value: &str) -> Outcome {
    let paths = match json_list(value)? {
        Some(paths) => paths,
        None => value.split_whitespace().map(str::to_owned).collect(),
    };
    let mut list = config.volumes().clone().unwrap_or_default();
    for path in paths {
        if !path.starts_with('/') || path == "/" {
            return Err("a volume must be an absolute path below /");
        }
        add(&mut list, path);
    }
    config.set_volumes(some(list));
    Ok(())
}

fn workdir(config: &mut Config, value: &str) -> Outcome {
    let earlier = config.working_dir().clone().unwrap_or_default();
    let directory = if value.starts_with('/') {
        value.to_owned()
    } else {
        format!("{}/{value}", earlier.trim_end_matches('/'))
    };
    let directory = if directory.starts_with('/') {
        directory
    } else {
        format!("/{directory}")
    };
    config.set_working_dir(Some(directory));
    Ok(())
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn add(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Sets a variable in a list of `NAME=value`, where it stands if it is there.
pub(super) fn set_variable(list: &mut Vec<String>, name: &str, value: &str) {
    let entry = format!("{name}={value}");
    let same = |other: &&mut String| other.split('=').next() == Some(name);
    match list.iter_mut().find(same) {
        Some(old) => *old = entry,
        None => list.push(entry),
    }
}

fn command(value: &str) -> Result<Vec<String>, &'static str> {
    match json_list(value)? {
        Some(list) => Ok(list),
        None => words::split(value).ok_or("a quote is not closed"),
    }
}

/// A JSON array of strings; `None` if the text is not meant as one.
fn json_list(value: &str) -> Result<Option<Vec<String>>, &'static str> {
    if !value.starts_with('[') {
        return Ok(None);
    }
    let list = serde_json::from_str(value);
    list.map(Some)
        .map_err(|_| "it begins like a JSON array, but is none of strings")
}

/// `K=V K2="a b"`, or `K some text` where the first word has no `=`. In `K=V` with blanks in V but no further `=`, V is the rest.
fn assignments(value: &str) -> Result<Vec<(String, String)>, &'static str> {
    let first = value.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, rest) = value
            .split_once(char::is_whitespace)
            .ok_or("it has no value")?;
        return Ok(vec![(name.to_owned(), rest.trim().to_owned())]);
    }
    let words = words::split(value).ok_or("a quote is not closed")?;
    let pairs: Option<Vec<(&str, &str)>> = words.iter().map(|w| w.split_once('=')).collect();
    let pairs = match pairs {
        Some(pairs) => pairs,
        None => vec![value.split_once('=').unwrap_or((value, ""))],
    };
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        return Err("a name is empty");
    }
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn changed(instructions: &[&str]) -> Result<serde_json::Value, InvalidChange> {
        let mut config = Config::default();
        let instructions: Vec<String> = instructions.iter().map(|&i| i.to_owned()).collect();
        apply(&mut config, &instructions)?;
        Ok(serde_json::to_value(config).unwrap())
    }

    #[rstest]
    #[case(&[r#"CMD=["a", "b c"]"#], r#"{"Cmd": ["a", "b c"]}"#)]
    #[case(&[r#"CMD ["a"]"#], r#"{"Cmd": ["a"]}"#)]
    #[case(&["cmd=a"], r#"{"Cmd": ["a"]}"#)]
    #[case(&["CMD a 'b c'"], r#"{"Cmd": ["a", "b c"]}"#)]
    #[case(&["CMD=a", "CMD=[]"], "{}")]
    #[case(&["ENTRYPOINT=[\"/e\"]", "CMD=x"], r#"{"Entrypoint": ["/e"], "Cmd": ["x"]}"#)]
    #[case(&["ENV=A=1=2", "ENV B="], r#"{"Env": ["A=1=2", "B="]}"#)]
    #[case(&["ENV A=1 B=\"2 3\""], r#"{"Env": ["A=1", "B=2 3"]}"#)]
    #[case(&["ENV A some text"], r#"{"Env": ["A=some text"]}"#)]
    #[case(&["ENV=A=some text"], r#"{"Env": ["A=some text"]}"#)]
    #[case(&["ENV=A=1", "ENV=B=2", "ENV=A=3"], r#"{"Env": ["A=3", "B=2"]}"#)]
    #[case(&["LABEL=k=v", "LABEL l=w"], r#"{"Labels": {"k": "v", "l": "w"}}"#)]
    #[case(&["EXPOSE=80 81/udp", "EXPOSE 80/tcp"], r#"{"ExposedPorts": {"80/tcp": {}, "81/udp": {}}}"#)]
    #[case(&["STOPSIGNAL=SIGUSR1"], r#"{"StopSignal": "SIGUSR1"}"#)]
    #[case(&["USER=1000:users"], r#"{"User": "1000:users"}"#)]
    #[case(&["VOLUME=/a /b", "VOLUME [\"/c\"]"], r#"{"Volumes": {"/a": {}, "/b": {}, "/c": {}}}"#)]
    #[case(&["WORKDIR=/a", "WORKDIR b"], r#"{"WorkingDir": "/a/b"}"#)]
    #[case(&["WORKDIR=b"], r#"{"WorkingDir": "/b"}"#)]
    fn instructions_change_the_configuration(#[case] instructions: &[&str], #[case] json: &str) {
        let wanted: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(changed(instructions).unwrap(), wanted);
    }

    #[rstest]
    #[case("")]
    #[case("CMD")]
    #[case("CMD=")]
    #[case("CMD=[1]")]
    #[case("CMD='a")]
    #[case("ONBUILD=x")]
    #[case("ENV=A")]
    #[case("ENV==x")]
    #[case("LABEL=k")]
    #[case("EXPOSE=x")]
    #[case("EXPOSE=0")]
    #[case("EXPOSE=80/sctp")]
    #[case("STOPSIGNAL=SIGNONE")]
    #[case("STOPSIGNAL=65")]
    #[case("USER=a:b:c")]
    #[case("VOLUME=relative")]
    fn an_instruction_that_means_nothing_is_refused_by_name(#[case] instruction: &str) {
        let error = changed(&[instruction]).unwrap_err();
        assert!(
            error.to_string().contains(&format!("{instruction:?}")),
            "{error}"
        );
    }
}
