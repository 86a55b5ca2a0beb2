//! One latency series as a percentile distribution: the text that HdrHistogram's own tools print and plot, by
//! convention in files that end in `.hgrm`. Values are milliseconds.
//!
//! Values beyond the histogram's range keep their rank and are written as the greatest value.
//!
//! Spec: `AbstractHistogram.outputPercentileDistribution` of HdrHistogram, five ticks to each half of the distance.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use super::RunResult;
use super::result::{BUNDLED, MetricResult};
use crate::measure::{DecodeError, HIGHEST, Series};

/// How many rows stand between one percentile and the next that is twice as near to 100 %.
const TICKS: f64 = 5.0;

/// What a histogram of three digits has in each of its buckets.
const SUB_BUCKETS: u64 = 2048;

/// The distribution of one series.
///
/// # Errors
/// When the stored histogram is damaged.
pub fn to_hgrm(metric: &MetricResult) -> Result<String, DecodeError> {
    let series = metric.series()?;
    let mut text =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let buckets = buckets(&series, metric);
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let (mut level, mut seen) = (0.0, 0);
    for (value, count) in &buckets {
        seen += count;
        while seen as f64 / total as f64 * 100.0 >= level {
            let share = level / 100.0;
            row(&mut text, *value, share, seen, Some(1.0 / (1.0 - share)));
            level += 100.0 / ticks(level);
            if seen == total {
                break;
            }
        }
    }
    let greatest = buckets.last().map_or(0.0, |(value, _)| *value);
    row(&mut text, greatest, 1.0, total, None);
    let mean = metric.mean_us as f64 / 1e3;
    let deviation = deviation(&buckets, mean, total);
    let max = metric.max_us as f64 / 1e3;
    let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {total:12}]");
    let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {SUB_BUCKETS:12}]", bucket_count());
    Ok(text)
}

/// Every series of these runs one after another, each under a line that names it. Series that are damaged are left out.
pub fn all_in_one(results: &[RunResult]) -> String {
    let mut text = String::new();
    for result in results {
        for metric in &result.metrics {
            let Ok(distribution) = to_hgrm(metric) else { continue };
            let scenario = crate::measure::format::printable(&result.scenario.name);
            let _ = writeln!(text, "# {}, {scenario}", crate::measure::format::printable(&metric.name));
            text.push_str(&distribution);
            text.push('\n');
        }
    }
    text
}

/// A file for each series of each run, with its name: `chat.ack.hgrm`.
///
/// # Errors
/// When a stored histogram is damaged.
pub fn of_each(results: &[RunResult]) -> Result<Vec<(String, String)>, String> {
    let stems: Vec<String> = results.iter().map(stem).collect();
    let mut files = Vec::new();
    for (index, result) in results.iter().enumerate() {
        let alike = stems[..index].iter().filter(|other| **other == stems[index]).count();
        let number = if alike > 0 { format!("-{}", alike + 1) } else { String::new() };
        for metric in &result.metrics {
            let name = format!("{}{number}.{}.hgrm", stems[index], file_name(&metric.name));
            let text = to_hgrm(metric).map_err(|why| {
                format!("failed to read the histogram `{}` of the result: {why}", metric.name)
            })?;
            files.push((name, text));
        }
    }
    Ok(files)
}

/// The name of the scenario's file without its folder and ending.
fn stem(result: &RunResult) -> String {
    let file = result.scenario.file.trim_end_matches(BUNDLED);
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    file_name(&stem.unwrap_or_default())
}

/// Characters that every file system takes.
fn file_name(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = text.chars().map(kept).collect();
    match name.trim_start_matches('.') {
        "" => "run".to_owned(),
        name => name.to_owned(),
    }
}

/// What each bucket holds, in milliseconds, with a last one for what is beyond.
fn buckets(series: &Series, metric: &MetricResult) -> Vec<(f64, u64)> {
    let millis = |value: Duration| value.as_micros() as f64 / 1e3;
    let mut buckets: Vec<(f64, u64)> =
        series.buckets().map(|(value, count)| (millis(value), count)).collect();
    if metric.overflow > 0 {
        buckets.push((metric.max_us as f64 / 1e3, metric.overflow));
    }
    buckets
}

/// How many steps the way from 0 to 100 % would take at this level: twice as many whenever the distance is halved.
fn ticks(level: f64) -> f64 {
    let halvings = (100.0 / (100.0 - level)).log2().floor() + 1.0;
    TICKS * halvings.exp2()
}

fn row(text: &mut String, value: f64, share: f64, seen: u64, inverse: Option<f64>) {
    let _ = write!(text, "{value:12.3} {share:2.12} {seen:10}");
    if let Some(inverse) = inverse {
        let _ = write!(text, " {inverse:14.2}");
    }
    text.push('\n');
}

fn deviation(buckets: &[(f64, u64)], mean: f64, total: u64) -> f64 {
    let squares: f64 = buckets.iter().map(|(value, count)| (value - mean).powi(2) * *count as f64).sum();
    (squares / (total.max(1) as f64)).sqrt()
}

/// Each further bucket reaches twice as far.
fn bucket_count() -> u32 {
    let highest = u64::try_from(HIGHEST.as_micros()).unwrap_or(u64::MAX);
    (highest / SUB_BUCKETS).ilog2() + 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled};

    fn metric(name: &str) -> MetricResult {
        troubled().metrics.into_iter().find(|metric| metric.name == name).expect("it is there")
    }

    #[test]
    fn a_distribution_reads_like_this() {
        insta::assert_snapshot!(to_hgrm(&metric("ack")).expect("it was encoded here"));
    }

    #[test]
    fn values_and_shares_only_grow_and_end_with_all() {
        let text = to_hgrm(&metric("delivery")).expect("it was encoded here");
        let rows: Vec<Vec<f64>> = text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|cell| cell.parse().expect("a number")).collect())
            .collect();
        assert!(rows.len() > 40);
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] < b[1] && a[2] <= b[2]), "{text}");
        assert_eq!(rows.last(), Some(&vec![130_000.0, 1.0, 40_002.0]));
    }

    #[test]
    fn each_series_gets_a_file_and_runs_of_one_scenario_do_not_overwrite_each_other() {
        let mut evil = flawless();
        evil.scenario.file = "../..".into();
        let files = of_each(&[troubled(), troubled(), evil]).expect("they were encoded here");
        let names: Vec<String> = files.into_iter().map(|(name, _)| name).collect();
        let mut expected: Vec<String> = ["busy-rooms", "busy-rooms-2"]
            .iter()
            .flat_map(|stem| {
                ["ack", "connect", "connect.tcp", "delivery"].map(|name| format!("{stem}.{name}.hgrm"))
            })
            .chain(["run.connect.hgrm".to_owned()])
            .collect();
        let mut sorted = names;
        sorted.sort();
        expected.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn a_damaged_histogram_is_an_error_and_is_left_out_where_there_are_others() {
        let mut result = troubled();
        result.metrics[0].histogram = "damaged".into();
        assert!(to_hgrm(&result.metrics[0]).is_err());
        let all = all_in_one(&[result.clone()]);
        assert_eq!(all.matches("#[Mean").count(), result.metrics.len() - 1);
    }
}
