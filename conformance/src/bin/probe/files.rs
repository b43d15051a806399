//! What a file is, as JSON.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
};

use crate::json::Json;

/// What is at `path`, a link itself and not what it points to; null if nothing is.
pub(crate) fn told(path: &str) -> Json {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Json::Null;
    };
    let target = fs::read_link(path).map_or(Json::Null, |target| {
        Json::Text(target.display().to_string())
    });
    Json::object([
        ("kind", Json::Text(kind(found.file_type()).to_owned())),
        ("mode", Json::Text(format!("{:o}", found.mode() & 0o7777))),
        ("uid", Json::Number(found.uid().into())),
        ("gid", Json::Number(found.gid().into())),
        ("size", Json::Number(found.size().into())),
        ("links", Json::Number(found.nlink().into())),
        ("target", target),
    ])
}

fn kind(kind: fs::FileType) -> &'static str {
    match kind {
        _ if kind.is_file() => "file",
        _ if kind.is_dir() => "directory",
        _ if kind.is_symlink() => "link",
        _ if kind.is_fifo() => "fifo",
        _ if kind.is_char_device() => "character device",
        _ if kind.is_block_device() => "block device",
        _ => "socket",
    }
}
