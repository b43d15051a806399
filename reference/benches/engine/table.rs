//! The table: what was measured, its floor, their ratio, and the aim.

use std::{fmt, time::Duration};

#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 5]>,
}

impl Table {
    /// A time beside a floor's time.
    pub fn time(
        &mut self,
        what: &str,
        measured: Duration,
        floor: Option<(&str, Duration)>,
        aim: &str,
    ) {
        let (floor, ratio) = floor.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(name, time)| {
                let ratio = measured.as_secs_f64() / time.as_secs_f64().max(1e-9);
                (format!("{} ({name})", pretty(time)), format!("{ratio:.2}"))
            },
        );
        self.rows.push([
            what.to_owned(),
            pretty(measured),
            floor,
            ratio,
            aim.to_owned(),
        ]);
    }

    /// A figure beside a floor's figure, in the same unit.
    pub fn figure(
        &mut self,
        what: &str,
        measured: f64,
        unit: &str,
        floor: Option<(&str, f64)>,
        aim: &str,
    ) {
        let (floor, ratio) = floor.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(name, value)| {
                (
                    format!("{value:.0} {unit} ({name})"),
                    format!("{:.2}", measured / value),
                )
            },
        );
        let measured = format!("{measured:.*} {unit}", usize::from(measured < 100.0));
        self.rows
            .push([what.to_owned(), measured, floor, ratio, aim.to_owned()]);
    }
}

fn pretty(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["what", "measured", "floor", "ratio", "aim"].map(str::to_owned);
        let lines: Vec<&[String; 5]> = std::iter::once(&heads).chain(&self.rows).collect();
        let width = |column: usize| {
            lines
                .iter()
                .map(|l| l[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..5).map(width).collect();
        for line in lines {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// The value at a share of the sorted times.
pub fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or_default()
}
