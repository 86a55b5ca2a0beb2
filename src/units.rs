//! Quantities with their unit: how long, how often, which share, how much. Each is read from a scenario's
//! value or from a bare text of the command line, by the same rules.
//!
//! A bare number is refused where a unit is needed: `within: 5` means seconds to one reader and milliseconds
//! to the next.

use std::fmt;
use std::time::Duration;

use crate::document::{Mistake, Node, Span, Value};

/// The longest time that can be asked for: thirty days.
pub(crate) const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The largest size that can be asked for: 64 MiB.
pub(crate) const LARGEST: u64 = 64 << 20;

/// How often something happens.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// Times per second; positive and finite.
    pub per_second: f64,
}

impl Rate {
    /// From one time to the next.
    pub fn interval(self) -> Duration {
        Duration::try_from_secs_f64(1.0 / self.per_second).unwrap_or(LONGEST)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.per_second;
        match per_second < 1.0 {
            false => write!(f, "{}/s", rounded(per_second)),
            true if per_second * 60.0 < 1.0 => write!(f, "{}/h", rounded(per_second * 3600.0)),
            true => write!(f, "{}/m", rounded(per_second * 60.0)),
        }
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", rounded(self.0 * 100.0))
    }
}

/// A time as a scenario spells it: `250ms`, `1.5s`, `2m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spelt(pub Duration);

impl fmt::Display for Spelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        let (unit, size) = match micros {
            0 => ("s", 1e6),
            _ if micros.is_multiple_of(3_600_000_000) => ("h", 3.6e9),
            _ if micros.is_multiple_of(60_000_000) => ("m", 6e7),
            1_000_000.. => ("s", 1e6),
            1_000.. => ("ms", 1e3),
            _ => ("us", 1.0),
        };
        write!(f, "{}{unit}", rounded(micros as f64 / size))
    }
}

/// Nine digits are more than any unit here needs, and hide what binary fractions add.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// A time: `300ms`, `1s`, `1.5s`, `2m`, `1h`, `50us`.
pub(crate) fn duration(node: &Node) -> Result<Duration, Mistake> {
    read(node, "a time", "300ms", |n| format!("{n}ms or {n}s"), duration_from)
}

/// A time that is longer than nothing.
pub(crate) fn positive_duration(node: &Node) -> Result<Duration, Mistake> {
    match duration(node)? {
        Duration::ZERO => Err(node.mistake("expected a time longer than 0 s")),
        time => Ok(time),
    }
}

/// A rate: `200/s`, `5/m`, `0.5/s`.
pub(crate) fn rate(node: &Node) -> Result<Rate, Mistake> {
    read(node, "a rate", "200/s", |n| format!("{n}/s"), rate_from)
}

/// A share: `20%`, `0.1 %`.
pub(crate) fn share(node: &Node) -> Result<Share, Mistake> {
    read(node, "a share", "20%", |n| format!("{n}%"), share_from)
}

/// A size in bytes: `200` (bytes), `200B`, `1KiB`, `64KB`, `1MiB`. At most [`LARGEST`].
pub(crate) fn size(node: &Node) -> Result<u64, Mistake> {
    match &node.value {
        Value::Int(bytes) => size_from(&bytes.to_string()).map_err(|mistake| mistake.at(node.span)),
        _ => read(node, "a size", "200 or 1KiB", |n| format!("{n}KB"), size_from),
    }
}

/// Bytes in each second, at least one: `1MB/s`, `64KiB/s`.
pub(crate) fn throughput(node: &Node) -> Result<u64, Mistake> {
    let what = "so many bytes a second";
    read(
        node,
        what,
        "1MB/s",
        |n| format!("{n}KB/s"),
        |text| match text.trim().strip_suffix("/s") {
            None => Err(nowhere(format!("`{text}` is not {what}")).hint("write it like 1MB/s")),
            Some(size) => match size_from(size)? {
                0 => Err(nowhere(format!("`{text}` lets nothing pass")).hint("write `black_hole` for that")),
                bytes => Ok(bytes),
            },
        },
    )
}

/// The time that a text means. The mistake stands nowhere.
pub(crate) fn duration_from(text: &str) -> Result<Duration, Mistake> {
    let units =
        [("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0)];
    let seconds = quantity(text, "a time", "300ms", &units)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time <= LONGEST => Ok(round_to_micros(time)),
        _ => Err(nowhere(format!("`{text}` is longer than 30 days"))),
    }
}

/// The same, of a time that is not nothing.
pub(crate) fn length_from(text: &str) -> Result<Duration, Mistake> {
    match duration_from(text)? {
        Duration::ZERO => Err(nowhere("expected a time longer than 0 s".to_owned())),
        length => Ok(length),
    }
}

/// The rate that a text means. The mistake stands nowhere.
pub(crate) fn rate_from(text: &str) -> Result<Rate, Mistake> {
    let units = [("/s", 1.0), ("/m", 1.0 / 60.0), ("/min", 1.0 / 60.0), ("/h", 1.0 / 3600.0)];
    let per_second = quantity(text, "a rate", "200/s", &units)?;
    if per_second == 0.0 {
        return Err(nowhere(format!("`{text}` means never")));
    }
    if per_second > 1e7 {
        return Err(nowhere(format!("`{text}` is more often than anything here can do")));
    }
    Ok(Rate { per_second })
}

/// The share that a text means. The mistake stands nowhere.
pub(crate) fn share_from(text: &str) -> Result<Share, Mistake> {
    let share = Share(quantity(text, "a share", "20%", &[("%", 0.01)])?);
    match share.0 > 1.0 {
        true => Err(nowhere(format!("`{text}` is more than the whole"))),
        false => Ok(share),
    }
}

/// By what share something grows, as a text says it: it may be more than the whole. The mistake stands nowhere.
pub(crate) fn growth_from(text: &str) -> Result<f64, Mistake> {
    quantity(text, "a share", "20%", &[("%", 0.01)])
}

/// The size in bytes that a text means. The mistake stands nowhere.
pub(crate) fn size_from(text: &str) -> Result<u64, Mistake> {
    let units = [("", 1.0), ("B", 1.0), ("KB", 1e3), ("KiB", 1024.0), ("MB", 1e6), ("MiB", 1048576.0)];
    let bytes = quantity(text, "a size", "200 or 1KiB", &units)?;
    if bytes.fract() != 0.0 {
        return Err(nowhere(format!("`{text}` is not a whole number of bytes")));
    }
    if bytes > LARGEST as f64 {
        return Err(nowhere(format!(
            "`{text}` is more than the {} MiB that can be asked for",
            LARGEST >> 20
        )));
    }
    Ok(bytes as u64)
}

/// A text value by its rule; a bare number is told how it would be written with a unit.
fn read<T>(
    node: &Node,
    what: &str,
    example: &str,
    suggest: impl Fn(&str) -> String,
    from: impl Fn(&str) -> Result<T, Mistake>,
) -> Result<T, Mistake> {
    let bare = match &node.value {
        Value::Text(text) => return from(text).map_err(|mistake| mistake.at(node.span)),
        Value::Int(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        _ => {
            let message = format!("expected {what} such as {example}, found {}", node.describe());
            return Err(node.mistake(message));
        }
    };
    Err(node
        .mistake(format!("expected {what} with its unit, found the bare number {bare}"))
        .hint(format!("write {}", suggest(&bare))))
}

/// A number and one of the units, as a multiple of the base unit.
fn quantity(text: &str, what: &str, example: &str, units: &[(&str, f64)]) -> Result<f64, Mistake> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let unit = unit.trim_start();
    let example = || format!("write it like {example}");
    let Ok(number) = number.parse::<f64>() else {
        let message = match trimmed.starts_with('-') {
            true => format!("{what} cannot be negative, and `{trimmed}` is"),
            false => format!("`{trimmed}` is not {what}"),
        };
        return Err(nowhere(message).hint(example()));
    };
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(number * factor),
        None if unit.is_empty() => Err(nowhere(format!("`{trimmed}` has no unit")).hint(example())),
        None => {
            let names = units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty());
            let other_case = names.clone().find(|name| name.eq_ignore_ascii_case(unit));
            let mistake = nowhere(format!("`{unit}` is not a unit of {what}"));
            Err(match other_case {
                Some(name) => mistake.hint(format!("did you mean `{name}`?")),
                None if unit == "/s" && what == "a time" && (1e-3..=1e6).contains(&number) => {
                    let interval = Spelt(Duration::from_micros((1e6 / number).round() as u64));
                    mistake.hint(format!("{trimmed} is one each {interval}: write `{interval}`"))
                }
                None => {
                    let known: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                    mistake.hint(format!("known units: {}", known.join(", ")))
                }
            })
        }
    }
}

/// Seconds as binary fractions do not hit the microsecond; what is written in decimals should.
fn round_to_micros(time: Duration) -> Duration {
    Duration::from_micros(((time.as_nanos() + 500) / 1_000) as u64)
}

fn nowhere(message: String) -> Mistake {
    Mistake::new(Span::default(), message)
}

/// Whole microseconds, as results hold them; the greatest number where there are more.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(value: Value) -> Node {
        Node { span: Span { line: 3, column: 5, end_line: 3, end_column: 6 }, value }
    }

    fn told(mistake: Mistake) -> String {
        mistake.to_string()
    }

    #[test]
    fn times_are_read_with_their_unit() {
        for (text, micros) in [
            ("300ms", 300_000),
            ("1s", 1_000_000),
            ("1.5s", 1_500_000),
            ("0.1s", 100_000),
            ("2m", 120_000_000),
            ("1h", 3_600_000_000),
            ("50us", 50),
            ("250 ms", 250_000),
            ("0s", 0),
        ] {
            assert_eq!(duration_from(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn a_bare_number_is_no_time() {
        let mistake = duration(&node(Value::Int(5))).unwrap_err();
        assert_eq!(mistake.span.line, 3);
        assert_eq!(told(mistake), "expected a time with its unit, found the bare number 5 (write 5ms or 5s)");
        assert_eq!(told(duration_from("5").unwrap_err()), "`5` has no unit (write it like 300ms)");
    }

    #[test]
    fn what_is_no_time_is_told_what_one_looks_like() {
        assert_eq!(told(duration_from("soon").unwrap_err()), "`soon` is not a time (write it like 300ms)");
        assert_eq!(
            told(duration_from("-1s").unwrap_err()),
            "a time cannot be negative, and `-1s` is (write it like 300ms)"
        );
        assert_eq!(
            told(duration_from("5MS").unwrap_err()),
            "`MS` is not a unit of a time (did you mean `ms`?)"
        );
        assert_eq!(
            told(duration_from("20/s").unwrap_err()),
            "`/s` is not a unit of a time (20/s is one each 50ms: write `50ms`)"
        );
        assert!(told(duration_from("5 days").unwrap_err()).contains("known units: `us`"));
        assert_eq!(told(duration_from("1000h").unwrap_err()), "`1000h` is longer than 30 days");
        assert!(
            duration_from("1.2.3s").is_err() && duration_from(".").is_err() && duration_from("").is_err()
        );
        let list = node(Value::List(vec![]));
        assert_eq!(told(duration(&list).unwrap_err()), "expected a time such as 300ms, found an empty list");
    }

    #[test]
    fn nothing_is_no_positive_time() {
        assert!(positive_duration(&node(Value::Text("0s".into()))).is_err());
        assert!(positive_duration(&node(Value::Text("1us".into()))).is_ok());
    }

    #[test]
    fn rates_are_per_second_minute_or_hour() {
        assert_eq!(rate_from("200/s").unwrap().interval(), Duration::from_millis(5));
        assert_eq!(rate_from("5/m").unwrap().interval(), Duration::from_secs(12));
        assert_eq!(rate_from("1/h").unwrap().interval(), Duration::from_secs(3600));
        assert_eq!(
            told(rate(&node(Value::Int(200))).unwrap_err()),
            "expected a rate with its unit, found the bare number 200 (write 200/s)"
        );
        assert_eq!(told(rate_from("0/s").unwrap_err()), "`0/s` means never");
        assert!(rate_from("99999999999/s").is_err());
    }

    #[test]
    fn shares_are_percentages_up_to_the_whole() {
        assert_eq!(share_from("20%"), Ok(Share(0.2)));
        assert_eq!(share_from("0.1 %").unwrap().to_string(), "0.1 %");
        assert_eq!(told(share_from("101%").unwrap_err()), "`101%` is more than the whole");
        assert_eq!(
            told(share(&node(Value::Float(0.2))).unwrap_err()),
            "expected a share with its unit, found the bare number 0.2 (write 0.2%)"
        );
    }

    #[test]
    fn sizes_are_whole_bytes() {
        assert_eq!(size(&node(Value::Int(200))), Ok(200));
        for (text, bytes) in
            [("200", 200), ("1KiB", 1024), ("64KB", 64_000), ("1.5KiB", 1536), ("1MiB", 1 << 20)]
        {
            assert_eq!(size_from(text), Ok(bytes), "{text}");
        }
        assert_eq!(told(size_from("1.5").unwrap_err()), "`1.5` is not a whole number of bytes");
        assert_eq!(told(size_from("1kb").unwrap_err()), "`kb` is not a unit of a size (did you mean `KB`?)");
        assert!(size_from("65MiB").is_err() && size(&node(Value::Int(-1))).is_err());
    }

    #[test]
    fn quantities_are_spelt_as_they_would_be_written() {
        let spelt = |text| Spelt(duration_from(text).unwrap()).to_string();
        for text in ["300ms", "1s", "1.5s", "2m", "1h", "50us", "90s", "0s"] {
            assert_eq!(spelt(text), text);
        }
        for text in ["200/s", "5/m", "1/h", "0.5/m"] {
            let spelt = rate_from(text).unwrap().to_string();
            assert_eq!(rate_from(&spelt).unwrap(), rate_from(text).unwrap(), "{text} as {spelt}");
        }
    }
}
