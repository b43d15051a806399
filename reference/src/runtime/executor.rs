//! Executes a container's program, and says clearly why it cannot.

use std::{
    ffi::CString,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use libcontainer::workload::{Executor, ExecutorError, ExecutorValidationError};
use nix::{
    errno::Errno,
    unistd::{AccessFlags, access, execv},
};
use oci_spec::runtime::Spec;

use super::{confinement::Confinement, limits, placement::Placement, trouble::Writer};
use crate::{settings::Ulimit, sys::detach::reset_signals};

/// Runs inside the container, as its user, in place of the library's own.
#[derive(Clone)]
pub(super) struct Program {
    trouble: Writer,
    placement: Placement,
    confinement: Confinement,
    user_namespace: Option<Arc<File>>,
    ulimits: Vec<Ulimit>,
}

impl Program {
    pub(super) fn new(
        trouble: Writer,
        placement: Placement,
        confinement: Confinement,
        user_namespace: Option<Arc<File>>,
        ulimits: Vec<Ulimit>,
    ) -> Self {
        Self {
            trouble,
            placement,
            confinement,
            user_namespace,
            ulimits,
        }
    }

    fn fail(&self, reason: String) -> String {
        self.trouble.execution_failed(&reason);
        reason
    }
}

impl Executor for Program {
    /// Before the container counts as created: puts process 1 in its place, confines it, and says whether it finds such a program then.
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        self.placement
            .propagate()
            .and_then(|()| self.confinement.enter(self.user_namespace.as_deref()))
            .and_then(|()| self.placement.go_to_work())
            .and_then(|()| self.confinement.apply())
            .and_then(|()| find(spec).map(drop))
            .map_err(|reason| ExecutorValidationError::ArgValidationError(self.fail(reason)))
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let run = || -> Result<std::convert::Infallible, String> {
            let (path, arguments) = find(spec)?;
            let path = CString::new(path.into_os_string().into_encoded_bytes())
                .map_err(|_| "the command holds a NUL".to_owned())?;
            let arguments: Vec<CString> = arguments
                .iter()
                .map(|argument| CString::new(argument.as_str()))
                .collect::<Result<_, _>>()
                .map_err(|_| "an argument holds a NUL".to_owned())?;
            reset_signals();
            limits::take(&self.ulimits)?;
            execv(&path, &arguments).map_err(|error| explain(&path.to_string_lossy(), error))
        };
        match run() {
            Ok(never) => match never {},
            Err(reason) => Err(ExecutorError::Other(self.fail(reason))),
        }
    }
}

/// The program's file and its arguments. A name without a slash is looked for in the container's PATH.
fn find(spec: &Spec) -> Result<(PathBuf, Vec<String>), String> {
    let process = spec.process().as_ref();
    let arguments = process.and_then(|p| p.args().clone()).unwrap_or_default();
    let name = arguments
        .first()
        .filter(|name| !name.is_empty())
        .ok_or("the command is empty")?;
    if name.contains('/') {
        executable(Path::new(name)).map_err(|error| explain(name, error))?;
        return Ok((PathBuf::from(name), arguments));
    }
    let env = process.and_then(|p| p.env().clone()).unwrap_or_default();
    let path = env
        .iter()
        .find_map(|entry| entry.strip_prefix("PATH="))
        .unwrap_or_default();
    let mut worst = Errno::ENOENT;
    for directory in path.split(':').filter(|directory| !directory.is_empty()) {
        let candidate = PathBuf::from(directory).join(name);
        match executable(&candidate) {
            Ok(()) => return Ok((candidate, arguments)),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(error) => worst = error,
        }
    }
    match worst {
        Errno::ENOENT => Err(format!("executable {name:?} not found in PATH ({path})")),
        error => Err(explain(name, error)),
    }
}

fn executable(path: &Path) -> Result<(), Errno> {
    if path.is_dir() {
        return Err(Errno::EISDIR);
    }
    access(path, AccessFlags::X_OK)
}

fn explain(name: &str, error: Errno) -> String {
    match error {
        Errno::ENOENT => format!("executable {name:?} not found"),
        Errno::EISDIR => format!("executable {name:?} is a directory"),
        Errno::EACCES => format!("executable {name:?}: permission denied"),
        Errno::ENOEXEC => format!("executable {name:?} has no format that this machine can run"),
        error => format!("executable {name:?}: {}", error.desc()),
    }
}
