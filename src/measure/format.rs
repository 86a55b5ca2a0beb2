//! Figures for people: three significant digits and the unit that fits.

use std::time::Duration;

/// `417 µs`, `1.2 ms`, `31.4 s`, `2 min 5 s`: as one writes a limit. Less than a microsecond is `0 µs`.
pub fn duration(value: Duration) -> String {
    in_units(value, three_digits)
}

/// `417 µs`, `1.20 ms`, `31.4 s`, `2 min 5 s`: always three digits, so that a column of them can be compared.
pub fn measured(value: Duration) -> String {
    in_units(value, |value| {
        let decimals = decimals(value);
        format!("{value:.decimals$}")
    })
}

fn in_units(value: Duration, digits: impl Fn(f64) -> String) -> String {
    let micros = value.as_nanos() as f64 / 1000.0;
    if micros < 0.5 {
        "0 µs".to_owned()
    } else if micros < 999.5 {
        format!("{micros:.0} µs")
    } else if micros < 999_500.0 {
        format!("{} ms", digits(micros / 1e3))
    } else if micros < 119.95e6 {
        format!("{} s", digits(micros / 1e6))
    } else {
        let seconds = value.as_secs_f64().round() as u64;
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, minutes, 0) => format!("{minutes} min"),
            (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
            (hours, 0, _) => format!("{hours} h"),
            (hours, minutes, _) => format!("{hours} h {minutes} min"),
        }
    }
}

/// `12`, `1,234`, `12,345,678`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0/s`, `1.25/s`, `12,300/s`.
pub fn rate(per_second: f64) -> String {
    if per_second < 1000.0 {
        format!("{}/s", three_digits(per_second.max(0.0)))
    } else {
        format!("{}/s", count(per_second.round() as u64))
    }
}

/// `12 %`, `0.05 %`; a share of 1 is `100 %`.
pub fn share(value: f64) -> String {
    format!("{} %", three_digits(value * 100.0))
}

/// `812 B`, `1.25 MB`, in powers of a thousand.
pub fn bytes(value: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if value < 1000 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1e3;
    let mut unit = 0;
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= 1e3;
        unit += 1;
    }
    format!("{} {}", three_digits(scaled), units[unit])
}

/// `1 check`, `3 checks`: the count with its noun, in the plural where it belongs.
pub fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// The first letter as a capital.
pub fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The text with everything that could move a terminal's cursor, change its colours or turn the reading
/// direction written as an escape: `\\u{1b}`, `\\n`. For all text that comes from servers and files.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let unsafe_here = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match unsafe_here {
            true => safe.extend(character.escape_default()),
            false => safe.push(character),
        }
    }
    safe
}

/// Three significant digits without trailing zeros; whole numbers from 100 on.
fn three_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = decimals(value);
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// How many decimals make three digits.
fn decimals(value: f64) -> usize {
    (2 - value.abs().log10().floor() as i32).clamp(0, 9) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_the_unit_that_fits() {
        let micros = Duration::from_micros;
        for (value, text) in [
            (Duration::ZERO, "0 µs"),
            (Duration::from_nanos(700), "1 µs"),
            (micros(1), "1 µs"),
            (micros(417), "417 µs"),
            (micros(999), "999 µs"),
            (micros(1_000), "1 ms"),
            (micros(1_254), "1.25 ms"),
            (micros(12_540), "12.5 ms"),
            (micros(250_000), "250 ms"),
            (micros(999_400), "999 ms"),
            (micros(999_600), "1 s"),
            (micros(31_440_000), "31.4 s"),
            (Duration::from_secs(119), "119 s"),
            (Duration::from_secs(120), "2 min"),
            (Duration::from_secs(125), "2 min 5 s"),
            (Duration::from_secs(3_600), "1 h"),
            (Duration::from_secs(7_384), "2 h 3 min"),
        ] {
            assert_eq!(duration(value), text);
        }
    }

    #[test]
    fn measured_durations_keep_their_zeros() {
        let texts = [417, 1_000, 1_200, 12_500, 250_000, 2_000_000]
            .map(|micros| measured(Duration::from_micros(micros)));
        assert_eq!(texts, ["417 µs", "1.00 ms", "1.20 ms", "12.5 ms", "250 ms", "2.00 s"]);
    }

    #[test]
    fn counts_are_grouped_by_three() {
        let texts = [0, 999, 1_000, 12_345, 123_456, 1_234_567].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "123,456", "1,234,567"]);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_survives() {
        assert_eq!(printable("\u{1b}[2J a\r\nb\u{7}\u{9b}"), "\\u{1b}[2J a\\r\\nb\\u{7}\\u{9b}");
        assert_eq!(printable("abc\u{202e}cba"), "abc\\u{202e}cba");
        assert_eq!(printable("Grüße, 世界 🎉 \"quoted\""), "Grüße, 世界 🎉 \"quoted\"");
    }

    #[test]
    fn rates_shares_and_bytes_read_naturally() {
        assert_eq!(
            [0.0, 0.5, 12.34, 999.0, 12_345.6].map(rate),
            ["0/s", "0.5/s", "12.3/s", "999/s", "12,346/s"]
        );
        assert_eq!([0.0, 0.0005, 0.1, 1.0].map(share), ["0 %", "0.05 %", "10 %", "100 %"]);
        assert_eq!([999, 1_000, 1_254_000, 999_999_999].map(bytes), ["999 B", "1 kB", "1.25 MB", "1 GB"]);
        assert_eq!([0, 1, 2].map(|n| counted(n, "check")), ["0 checks", "1 check", "2 checks"]);
    }
}
