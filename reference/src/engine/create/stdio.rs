//! Create's fields: terminal, standard input and log.

use std::path::{Path, PathBuf};

use crate::{
    engine::request::StdioRequest,
    settings::{Log, Stdio},
};

/// What was asked for, checked; the error names the field and the value.
pub(super) fn check(request: &StdioRequest) -> Result<Stdio, String> {
    Ok(Stdio {
        terminal: request.tty,
        interactive: request.interactive,
        log: log(request.log_driver.as_deref(), &request.log_driver_opt)?,
    })
}

fn log(driver: Option<&str>, options: &[String]) -> Result<Log, String> {
    match (driver, options.first()) {
        (None | Some("k8s-file" | "json-file"), _) => {
            let mut log = Log::Own;
            for option in options {
                let file = file(option)?;
                if log != Log::Own {
                    return Err(format!("log_driver_opt: {option:?} gives a second path"));
                }
                log = Log::File(file);
            }
            Ok(log)
        }
        (Some("none"), None) => Ok(Log::None),
        (Some("none"), Some(option)) => Err(format!(
            "log_driver_opt: {option:?} means nothing to the log_driver none"
        )),
        (Some(other), _) => Err(format!(
            "log_driver: {other:?} is not supported: give k8s-file, json-file or none"
        )),
    }
}

/// The file that an option names. It is not there yet: what is in a file of somebody else's is no log, and not to be written to.
fn file(option: &str) -> Result<PathBuf, String> {
    let refused = |why: &str| Err(format!("log_driver_opt: {option:?} {why}"));
    let Some(path) = option.strip_prefix("path=") else {
        return refused("is not path=FILE");
    };
    let path = Path::new(path);
    let Some(directory) = path.parent().filter(|_| path.is_absolute()) else {
        return refused("is not an absolute path");
    };
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().contains(&0) {
        return refused("names no file");
    }
    if !directory.is_dir() {
        return refused("is in a directory that is not there");
    }
    match path.symlink_metadata() {
        Ok(_) => refused("is there already"),
        Err(_) => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn checked(driver: Option<&str>, options: &[&str]) -> Result<Log, String> {
        let request = StdioRequest {
            log_driver: driver.map(str::to_owned),
            log_driver_opt: options.iter().map(|&o| o.to_owned()).collect(),
            ..StdioRequest::default()
        };
        check(&request).map(|stdio| stdio.log)
    }

    #[rstest]
    #[case::default(None, &[], Log::Own)]
    #[case::k8s_file(Some("k8s-file"), &[], Log::Own)]
    #[case::json_file(Some("json-file"), &[], Log::Own)]
    #[case::none(Some("none"), &[], Log::None)]
    #[case::path(Some("k8s-file"), &["path=/no-such-log"], Log::File("/no-such-log".into()))]
    fn a_log_has_a_place(
        #[case] driver: Option<&str>,
        #[case] options: &[&str],
        #[case] expected: Log,
    ) {
        assert_eq!(checked(driver, options), Ok(expected));
    }

    #[rstest]
    #[case::driver(Some("journald"), &[], "log_driver", "journald")]
    #[case::no_value(None, &["path"], "log_driver_opt", "path")]
    #[case::other_option(None, &["size=1"], "log_driver_opt", "size=1")]
    #[case::relative(None, &["path=log"], "log_driver_opt", "path=log")]
    #[case::no_directory(None, &["path=/no-such-directory/log"], "log_driver_opt", "/no-such-directory/log")]
    #[case::directory(None, &["path=/"], "log_driver_opt", "path=/")]
    #[case::taken(None, &["path=/etc/passwd"], "log_driver_opt", "/etc/passwd")]
    #[case::twice(None, &["path=/a", "path=/b"], "log_driver_opt", "/b")]
    #[case::for_none(Some("none"), &["path=/a"], "log_driver_opt", "/a")]
    fn what_cannot_be_honoured_is_refused_by_name_and_value(
        #[case] driver: Option<&str>,
        #[case] options: &[&str],
        #[case] field: &str,
        #[case] value: &str,
    ) {
        let reason = checked(driver, options).unwrap_err();
        assert!(reason.starts_with(&format!("{field}: ")), "{reason}");
        assert!(reason.contains(value), "{reason}");
    }
}
