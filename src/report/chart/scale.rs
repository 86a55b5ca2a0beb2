//! From values to places on an axis, and the values that are worth a tick: steps of 1, 2 and 5.

use std::time::Duration;

use crate::measure::format;

/// Latencies whose greatest is so many times the least are drawn on a logarithmic scale.
const WIDE: f64 = 20.0;

/// The least share of the greatest value that an axis spans which does not begin at nothing.
const LEAST_SPREAD: f64 = 0.05;

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Evenly.
    Linear {
        /// The value at the beginning.
        from: f64,
        /// The value at the end.
        to: f64,
    },
    /// Each tenfold takes as much room as any other. Both ends are greater than nothing.
    Log {
        /// The value at the beginning.
        from: f64,
        /// The value at the end.
        to: f64,
    },
}

impl Scale {
    /// From nothing to the next tick above the greatest value, which does not touch the edge.
    pub(crate) fn up_to(greatest: f64) -> Scale {
        let greatest = greatest * 1.005;
        let step = step(greatest, 5);
        let to = (greatest / step * (1.0 - 1e-9)).ceil().max(1.0) * step;
        Scale::Linear { from: 0.0, to }
    }

    /// From the tick below the least value to that above the greatest: for what hardly differs.
    pub(crate) fn within(least: f64, greatest: f64) -> Scale {
        // What hardly differs, or not at all, lies in the middle of an axis whose ticks can be told apart.
        let spread = greatest - least;
        let margin = (spread * 0.1).max((greatest.abs() * LEAST_SPREAD - spread) / 2.0).max(1e-9);
        let step = step(greatest - least + 2.0 * margin, 5);
        let from = (((least - margin) / step).floor() * step).max(if least >= 0.0 { 0.0 } else { f64::MIN });
        let to = (((greatest + margin) / step).ceil() * step).max(from + step);
        Scale::Linear { from, to }
    }

    /// From 1, 2, 5 or their like to another around these values; what is less than a hundred thousandth of the greatest
    /// would take more room than it is worth, and lies at the beginning.
    pub(crate) fn around(least: f64, greatest: f64) -> Scale {
        let greatest = greatest.max(1.0);
        let least = least.max(greatest / 1e5).max(1.0);
        let from = rounds(least, greatest).filter(|value| *value <= least).last().unwrap_or(least);
        let to = rounds(least, greatest * 10.0).find(|value| *value > greatest).unwrap_or(greatest * 2.0);
        Scale::Log { from, to }
    }

    /// A logarithmic scale for latencies that span a wide range, one that begins with nothing for all else.
    pub(crate) fn fitting(unit: Unit, least: f64, greatest: f64) -> Scale {
        match unit == Unit::Micros && greatest > WIDE * least.max(1.0) {
            true => Scale::around(least, greatest),
            false => Scale::up_to(greatest),
        }
    }

    /// What has to be said of it.
    pub(crate) fn remark(self) -> &'static str {
        match self {
            Scale::Linear { .. } => "",
            Scale::Log { .. } => "The scale is logarithmic.",
        }
    }

    /// Where a value lies, from 0 to 1; values outside lie at the nearer end.
    pub(crate) fn place(self, value: f64) -> f64 {
        let place = match self {
            Scale::Linear { from, to } => (value - from) / (to - from),
            Scale::Log { from, to } => (value.max(from) / from).ln() / (to / from).ln(),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The values worth a tick, at most so many and a few.
    pub(crate) fn ticks(self, most: u32) -> Vec<f64> {
        match self {
            Scale::Linear { from, to } => {
                let step = step(to - from, most);
                let first = (from / step - 1e-9).ceil() as i64;
                let last = (to / step + 1e-9).floor() as i64;
                (first..=last).take(100).map(|tick| tick as f64 * step).collect()
            }
            Scale::Log { from, to } => {
                let decades = (to / from).log10();
                let is_tick = |value: &f64| {
                    let exponent = value.log10();
                    decades < 2.5 || (exponent - exponent.round()).abs() < 1e-6
                };
                rounds(from, to)
                    .filter(|value| *value >= from * 0.999 && *value <= to * 1.001)
                    .filter(is_tick)
                    .collect()
            }
        }
    }
}

/// 1, 2, 5, 10, 20, … from the decade of the first to that of the last.
fn rounds(first: f64, last: f64) -> impl Iterator<Item = f64> {
    let exponents = (first.max(1e-9).log10().floor() as i32)..=(last.max(1e-9).log10().floor() as i32);
    exponents.flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(exponent)))
}

/// The least of 1, 2, 5, 10, … that divides the range into at most so many parts.
pub(crate) fn step(range: f64, most: u32) -> f64 {
    if !range.is_finite() || range <= 0.0 {
        return 1.0;
    }
    let rough = range / f64::from(most);
    let decade = 10_f64.powi(rough.log10().floor() as i32);
    [1.0, 2.0, 5.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|step| *step >= rough * 0.999_999)
        .unwrap_or(decade * 10.0)
}

/// What the numbers of an axis count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds since the start of the run.
    Seconds,
    /// Latencies in microseconds.
    Micros,
    /// Things.
    Count,
    /// Things in a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Busy processors.
    Processors,
    /// Ranks of percentiles: the logarithm to the base of ten of 1/(1-p).
    Nines,
}

impl Unit {
    /// The word for it in a script.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Micros => "us",
            Unit::Count => "count",
            Unit::PerSecond => "rate",
            Unit::Bytes => "bytes",
            Unit::BytesPerSecond => "byterate",
            Unit::Processors => "cpu",
            Unit::Nines => "nines",
        }
    }

    /// A value for people.
    pub(crate) fn text(self, value: f64) -> String {
        let whole = || value.max(0.0).round() as u64;
        match self {
            Unit::Seconds => format::duration(Duration::from_secs_f64(value.clamp(0.0, 1e12))),
            Unit::Micros => format::measured(Duration::from_micros(whole())),
            Unit::Count => format::count(whole()),
            Unit::PerSecond => format::rate(value),
            Unit::Bytes => format::bytes(whole()),
            Unit::BytesPerSecond => format!("{}/s", format::bytes(whole())),
            Unit::Processors => format!("{value:.2}"),
            Unit::Nines => percentile(value),
        }
    }

    /// A value at a tick. `end` is the greatest tick of its axis.
    pub(crate) fn tick(self, value: f64, end: f64) -> String {
        match self {
            Unit::Seconds => moment(value, end),
            Unit::Micros => format::duration(Duration::from_micros(value.round() as u64)),
            Unit::Processors => plain(value),
            Unit::Count if value.fract() != 0.0 => plain(value),
            _ => self.text(value),
        }
    }
}

/// `40 s` on an axis of up to two minutes, `7:30` on a longer one, `1:05:00` beyond an hour.
fn moment(seconds: f64, end: f64) -> String {
    if end < 1.0 {
        return format!("{} ms", plain(seconds * 1000.0));
    }
    if end <= 120.0 {
        return format!("{} s", plain(seconds));
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) if end < 3600.0 => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The distance between ticks of a time axis: as of any, but in sixtieths beyond two minutes.
pub(crate) fn moments(from: f64, to: f64, most: u32) -> Vec<f64> {
    let rough = (to - from) / f64::from(most);
    let step = match to > 120.0 && rough > 1.0 {
        true => {
            [2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0]
                .into_iter()
                .find(|step| *step >= rough)
                .unwrap_or_else(|| step(to - from, most))
        }
        false => step(to - from, most),
    };
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).take(100).map(|tick| tick as f64 * step).collect()
}

/// `p99.9` for 3.
fn percentile(nines: f64) -> String {
    let percent = 100.0 * (1.0 - 10_f64.powf(-nines));
    let decimals = (nines - 1.0).ceil().clamp(0.0, 9.0) as usize;
    let text = format!("{percent:.decimals$}");
    match text.contains('.') {
        true => format!("p{}", text.trim_end_matches('0').trim_end_matches('.')),
        false => format!("p{text}"),
    }
}

fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_ones_twos_and_fives() {
        assert_eq!(Scale::up_to(1988.0).ticks(5), [0.0, 500.0, 1000.0, 1500.0, 2000.0]);
        let told: Vec<_> = Scale::up_to(0.66).ticks(5).into_iter().map(plain).collect();
        assert_eq!(told, ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(Scale::up_to(0.0).ticks(5).first(), Some(&0.0));
        assert_eq!(Scale::around(1_500.0, 900_000.0).ticks(5), [1e3, 1e4, 1e5, 1e6]);
        assert_eq!(Scale::around(110.0, 1_900.0).ticks(5), [100.0, 200.0, 500.0, 1000.0, 2000.0]);
    }

    #[test]
    fn a_scale_holds_what_it_is_made_for_and_is_never_without_room() {
        for greatest in [0.0, 1.0, 7.0, 1988.0, 1e12] {
            let Scale::Linear { from, to } = Scale::up_to(greatest) else { panic!("it is linear") };
            assert!(from == 0.0 && to > 0.0 && to >= greatest, "{greatest}: {to}");
        }
        for (least, greatest) in [(0.0, 0.0), (1.0, 1.0), (3.0, 120_000_000.0), (999.0, 1000.0)] {
            let scale = Scale::around(least, greatest);
            let Scale::Log { from, to } = scale else { panic!("it is logarithmic") };
            assert!(from > 0.0 && to > from && to > greatest, "{least} to {greatest}: {from} to {to}");
            assert!(scale.ticks(5).len() >= 2, "{least} to {greatest}: {:?}", scale.ticks(5));
        }
    }

    #[test]
    fn a_scale_that_begins_with_its_values_holds_them_and_tells_its_ticks_apart() {
        for (least, greatest) in [(0.0, 0.0), (10.0, 10.0), (1_400.0, 1_520.0), (0.0, 3.0), (199.9, 200.1)] {
            let scale = Scale::within(least, greatest);
            let Scale::Linear { from, to } = scale else { panic!("it is linear") };
            assert!(
                from >= 0.0 && from <= least && to >= greatest && to > from,
                "{least} to {greatest}: {scale:?}"
            );
            let mut ticks: Vec<_> =
                scale.ticks(5).into_iter().map(|tick| Unit::PerSecond.text(tick)).collect();
            let all = ticks.len();
            ticks.dedup();
            assert!(greatest < 1.0 || ticks.len() == all, "{least} to {greatest}: {ticks:?}");
        }
    }

    #[test]
    fn a_place_lies_on_the_axis_whatever_the_value() {
        let log = Scale::Log { from: 10.0, to: 1000.0 };
        assert_eq!(
            [0.0, 10.0, 100.0, 1000.0, f64::INFINITY].map(|value| log.place(value)),
            [0.0, 0.0, 0.5, 1.0, 0.0]
        );
        let linear = Scale::Linear { from: 0.0, to: 50.0 };
        assert_eq!(
            [-5.0, 0.0, 25.0, 60.0, f64::NAN].map(|value| linear.place(value)),
            [0.0, 0.0, 0.5, 1.0, 0.0]
        );
    }

    #[test]
    fn moments_are_told_as_on_a_clock_once_the_run_is_long() {
        let told = |to: f64| {
            moments(0.0, to, 6).into_iter().map(|at| Unit::Seconds.tick(at, to)).collect::<Vec<_>>()
        };
        assert_eq!(told(63.4), ["0 s", "20 s", "40 s", "60 s"]);
        assert_eq!(told(1200.0), ["0:00", "5:00", "10:00", "15:00", "20:00"]);
        assert_eq!(told(8000.0).last().map(String::as_str), Some("2:00:00"));
        assert_eq!(told(0.05).last().map(String::as_str), Some("50 ms"));
    }

    #[test]
    fn percentiles_are_named_by_their_nines() {
        assert_eq!(
            [0.0, 2_f64.log10(), 1.0, 2.0, 3.0, 5.0].map(percentile),
            ["p0", "p50", "p90", "p99", "p99.9", "p99.999"].map(String::from)
        );
    }
}
