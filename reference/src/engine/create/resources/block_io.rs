//! Weights and rates of block devices.

use std::path::Path;

use super::{figure, whole};
use crate::{
    engine::request::ResourcesRequest,
    settings::{DeviceFigure, Resources},
    sys::nodes::{Kind, Node},
};

/// The kernel keeps operations in a second in 32 bits, and would cut a greater figure.
const MOST_OPERATIONS: u64 = 0xffff_ffff;

pub(super) fn read(request: &ResourcesRequest, resources: &mut Resources) -> Result<(), String> {
    resources.blkio_weight = figure("blkio_weight", request.blkio_weight, 10..=1000)?;
    let weights = &request.blkio_weight_device;
    resources.blkio_weight_device = list("blkio_weight_device", weights, weight)?;
    resources.device_read_bps = list("device_read_bps", &request.device_read_bps, bytes)?;
    resources.device_write_bps = list("device_write_bps", &request.device_write_bps, bytes)?;
    resources.device_read_iops = list("device_read_iops", &request.device_read_iops, operations)?;
    resources.device_write_iops =
        list("device_write_iops", &request.device_write_iops, operations)?;
    Ok(())
}

/// Reads `DEVICE:FIGURE` entries.
fn list(
    field: &str,
    entries: &[String],
    figure: impl Fn(&str) -> Option<u64>,
) -> Result<Vec<DeviceFigure>, String> {
    let read = |entry: &String| {
        let refused = |why: &str| format!("resources.{field}: {entry:?} {why}");
        let (path, text) = entry
            .rsplit_once(':')
            .ok_or_else(|| refused("is not a device, a colon and a figure"))?;
        let figure = figure(text).ok_or_else(|| refused("has no figure that this field takes"))?;
        let node = block_device(path.as_ref())
            .map_err(|why| refused(&format!("names no block device of the host: {why}")))?;
        Ok(DeviceFigure {
            path: path.to_owned(),
            major: node.major,
            minor: node.minor,
            figure,
        })
    };
    entries.iter().map(read).collect()
}

fn block_device(path: &Path) -> Result<Node, String> {
    if !path.is_absolute() {
        return Err("the path is relative".into());
    }
    match Node::at(path).map_err(|error| error.to_string())? {
        Some(node) if node.kind == Kind::Block => Ok(node),
        _ => Err("it is something else".into()),
    }
}

fn weight(text: &str) -> Option<u64> {
    whole(text).filter(|weight| (10..=1000).contains(weight))
}

fn operations(text: &str) -> Option<u64> {
    whole(text).filter(|number| (1..=MOST_OPERATIONS).contains(number))
}

/// Bytes, with a unit of powers of 1024 or none.
fn bytes(text: &str) -> Option<u64> {
    let units = [("kb", 10), ("mb", 20), ("gb", 30)];
    let unit = units
        .into_iter()
        .find_map(|(unit, power)| Some((text.strip_suffix(unit)?, power)));
    let (number, power) = unit.unwrap_or((text, 0));
    whole(number)?
        .checked_mul(1 << power)
        .filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", Some(1))]
    #[case("4kb", Some(4096))]
    #[case("2mb", Some(2 << 20))]
    #[case("1gb", Some(1 << 30))]
    #[case("0", None)]
    #[case("0kb", None)]
    #[case("-1", None)]
    #[case("+1", None)]
    #[case("1.5mb", None)]
    #[case("kb", None)]
    #[case("1tb", None)]
    #[case("18446744073709551615gb", None)]
    fn rates_have_units(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(bytes(text), expected);
    }

    #[rstest]
    #[case("1", Some(1))]
    #[case("4294967295", Some(0xffff_ffff))]
    #[case("4294967296", None)]
    #[case("1kb", None)]
    #[case("0", None)]
    fn operations_have_no_unit(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(operations(text), expected);
    }

    #[rstest]
    #[case::character_device("/dev/null:10")]
    #[case::missing("/dev/there-is-none:10")]
    #[case::no_figure("/dev/null")]
    #[case::relative("null:10")]
    fn only_block_devices_are_taken(#[case] entry: &str) {
        let refused = list("device_read_bps", &[entry.to_owned()], bytes).unwrap_err();
        assert!(
            refused.starts_with("resources.device_read_bps: "),
            "{refused}"
        );
        assert!(refused.contains(entry));
    }
}
