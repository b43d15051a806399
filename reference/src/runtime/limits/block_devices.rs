//! Weights and rates of block devices as control files.

use super::controls::{Limit, limit, scaled};
use crate::settings::{DeviceFigure, Resources};

/// A kind of rate: the field, its figures, the file of version 1, and the word in io.max of version 2.
type Rate = (
    &'static str,
    fn(&Resources) -> &[DeviceFigure],
    &'static str,
    &'static str,
);

const RATES: [Rate; 4] = [
    (
        "device_read_bps",
        |resources| &resources.device_read_bps,
        "blkio.throttle.read_bps_device",
        "rbps",
    ),
    (
        "device_write_bps",
        |resources| &resources.device_write_bps,
        "blkio.throttle.write_bps_device",
        "wbps",
    ),
    (
        "device_read_iops",
        |resources| &resources.device_read_iops,
        "blkio.throttle.read_iops_device",
        "riops",
    ),
    (
        "device_write_iops",
        |resources| &resources.device_write_iops,
        "blkio.throttle.write_iops_device",
        "wiops",
    ),
];

pub(super) fn limits(resources: &Resources, unified: bool) -> Vec<Limit> {
    let all = resources.blkio_weight.iter().map(|figure| {
        let files = ["blkio.weight", "blkio.bfq.weight"];
        limit(
            "blkio_weight",
            figure,
            &weights(*figure, "", unified, files),
        )
    });
    let single = resources.blkio_weight_device.iter().map(|device| {
        let files = ["blkio.weight_device", "blkio.bfq.weight_device"];
        let choices = weights(device.figure, &number(device), unified, files);
        limit("blkio_weight_device", &told(device), &choices)
    });
    let rates = RATES.into_iter().flat_map(|(field, figures, file, key)| {
        let rate = move |device: &DeviceFigure| {
            let (number, figure) = (number(device), device.figure);
            let choice = match unified {
                true => ("io.max", format!("{number}{key}={figure}")),
                false => (file, format!("{number}{figure}")),
            };
            limit(field, &told(device), &[choice])
        };
        figures(resources).iter().map(rate)
    });
    all.chain(single).chain(rates).collect()
}

/// Two schedulers have weights; that of BFQ has the scale of version 1 in both.
fn weights(
    weight: u64,
    device: &str,
    unified: bool,
    [other, bfq]: [&'static str; 2],
) -> [(&'static str, String); 2] {
    let value = |figure: u64| format!("{device}{figure}");
    match unified {
        true => [
            ("io.weight", value(scaled(weight, (10, 1000)))),
            ("io.bfq.weight", value(weight)),
        ],
        false => [(other, value(weight)), (bfq, value(weight))],
    }
}

fn number(device: &DeviceFigure) -> String {
    format!("{}:{} ", device.major, device.minor)
}

fn told(device: &DeviceFigure) -> String {
    format!("{}:{}", device.path, device.figure)
}
