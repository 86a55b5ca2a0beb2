//! The course of a run as an interval log of HdrHistogram, by convention in files that end in `.hlog`: for each
//! interval the whole histogram of `ack`, `response`, `delivery` and `lag`, each under its tag. The histograms hold microseconds;
//! the greatest value beside them is in milliseconds.
//!
//! Spec: the format version 1.3 that `HistogramLogWriter` of HdrHistogram writes. Times count from `BaseTime`.

use std::fmt::Write;

use super::RunResult;
use super::course::Quantiles;
use super::time::seconds_since_1970;

/// The logs of these runs, one after another, each with its head. A run without a course has an empty one.
pub fn to_hlog(results: &[RunResult]) -> String {
    let mut text = String::from("#[Histogram log format version 1.3]\n");
    results.iter().for_each(|result| log(&mut text, result));
    text
}

fn log(text: &mut String, result: &RunResult) {
    let scenario = crate::measure::format::printable(&result.scenario.name);
    let started = seconds_since_1970(&result.started).unwrap_or_default();
    let _ = writeln!(text, "#[Scenario: {scenario}, logged by sockrates]");
    let _ = writeln!(
        text,
        "#[StartTime: {started}.000 (seconds since epoch), {}]",
        printable_time(&result.started)
    );
    let _ = writeln!(text, "#[BaseTime: {started}.000 (seconds since epoch)]");
    text.push_str(
        "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
    );
    let Some(course) = &result.course else { return };
    let series = [
        ("ack", &course.ack),
        ("response", &course.response),
        ("delivery", &course.delivery),
        ("lag", &course.lag),
    ];
    let mut begin = 0;
    for (row, end) in course.at_us.iter().enumerate() {
        for (tag, quantiles) in series {
            if let Some((max, histogram)) = interval(quantiles, row) {
                let [begin, length] = [begin, end.saturating_sub(begin)].map(|micros| micros as f64 / 1e6);
                let max = max as f64 / 1e3;
                let _ = writeln!(text, "Tag={tag},{begin:.3},{length:.3},{max:.3},{histogram}");
            }
        }
        begin = *end;
    }
}

/// The greatest value in microseconds, and the histogram. A stored text that is no base64 would break the log's lines.
fn interval(quantiles: &Quantiles, row: usize) -> Option<(u64, &str)> {
    let max = quantiles.max_us.get(row).copied().flatten()?;
    let histogram = quantiles.histograms.get(row)?.as_deref()?;
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    (!histogram.is_empty() && histogram.bytes().all(is_base64)).then_some((max, histogram))
}

fn printable_time(text: &str) -> String {
    crate::measure::format::printable(text).replace(']', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled};

    #[test]
    fn each_interval_of_each_series_is_a_line_under_its_tag() {
        let mut result = troubled();
        let course = result.course.as_mut().expect("it has a course");
        course.ack.histograms[2] = Some("HISTFAAA+/==".into());
        course.delivery.histograms[2] = Some("HISTFBBB".into());
        course.ack.histograms[63] = Some("HISTFCCC".into());
        let text = to_hlog(&[result]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "#[Histogram log format version 1.3]",
                "#[Scenario: Fifty busy chat rooms, logged by sockrates]",
                "#[StartTime: 1795227247.000 (seconds since epoch), 2026-11-21T02:14:07Z]",
                "#[BaseTime: 1795227247.000 (seconds since epoch)]",
                "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
                "Tag=ack,2.000,1.000,60.002,HISTFAAA+/==",
                "Tag=delivery,2.000,1.000,45.002,HISTFBBB",
                "Tag=ack,63.000,0.412,60.063,HISTFCCC",
            ]
        );
    }

    #[test]
    fn what_is_no_histogram_is_left_out() {
        let mut result = troubled();
        let course = result.course.as_mut().expect("it has a course");
        course.ack.histograms[2] = Some("a,b\nTag=evil".into());
        result.scenario.name = "a\n#b".into();
        let text = to_hlog(&[result, flawless()]);
        assert!(!text.contains("Tag=") && text.lines().all(|line| line.starts_with(['#', '"'])), "{text}");
    }
}
