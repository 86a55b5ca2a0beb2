//! A latency series drawn in characters: bars over buckets that grow like the values do.

use std::time::Duration;

use crate::measure::format::{self, count, counted};
use crate::report::result::MetricResult;

use super::layout::{Page, Tone};

/// Fewer values are told by the table.
const LEAST_COUNT: u64 = 20;
const MOST_ROWS: usize = 16;
/// So many empty rows in a row are told in one line.
const LONG_GAP: usize = 3;
const WIDEST_BAR: usize = 60;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// How many rows to a decade, from fine to coarse; the first that needs few enough rows is taken.
const DIVISIONS: [u32; 6] = [48, 24, 12, 6, 3, 1];

/// Values from `from` (in microseconds) to the next row's `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    from: u64,
    count: u64,
}

pub(super) fn render(page: &mut Page, metric: &MetricResult) {
    if metric.count < LEAST_COUNT {
        return;
    }
    // A stored histogram that was damaged is left out: the table still has its figures.
    let Ok(series) = metric.series() else { return };
    let buckets: Vec<_> = series.buckets().map(|(value, count)| (value.as_micros() as u64, count)).collect();
    let rows = rows(&buckets);
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(metric.overflow);
    let numbers = count(most).len();
    let label = 10;
    let marks = 12;
    let room = page.width().saturating_sub(label + 3 + numbers + 2 + marks).clamp(8, WIDEST_BAR);
    page.heading(&format!("{}, {}", metric.name, counted(metric.count, "value")));
    for (index, row) in rows.iter().enumerate() {
        match in_gap(&rows, index) {
            Some(0) => page.row(&[(&format!("{:>label$} ┊", "⋮"), Tone::Faint)]),
            Some(_) => {}
            None => {
                let until = rows.get(index + 1).map_or(u64::MAX, |next| next.from);
                let from = format::duration(Duration::from_micros(row.from));
                let marks = marks_of(metric, row.from, until);
                line(page, &format!("{from:>label$}"), row.count, most, room, numbers, &marks);
            }
        }
    }
    if metric.overflow > 0 {
        line(page, &format!("{:>label$}", "> 2 min"), metric.overflow, most, room, numbers, "");
    }
}

fn line(page: &mut Page, label: &str, value: u64, most: u64, room: usize, numbers: usize, marks: &str) {
    let bar = bar(value, most, room);
    let blank = " ".repeat(room - bar.chars().count());
    let number = if value == 0 { String::new() } else { count(value) };
    page.row(&[
        (label, Tone::Faint),
        (" ┊", Tone::Faint),
        (&bar, Tone::Bar),
        (&blank, Tone::Plain),
        (&format!(" {number:>numbers$}"), Tone::Plain),
        (&format!("  {marks}"), Tone::Faint),
    ]);
}

/// A bar of `value` out of `most` in eighths of a character; nothing is drawn as nothing, little as an eighth.
fn bar(value: u64, most: u64, room: usize) -> String {
    if value == 0 || most == 0 {
        return String::new();
    }
    let eighths = ((value as f64 / most as f64 * room as f64 * 8.0).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// The percentiles that lie in this row.
fn marks_of(metric: &MetricResult, from: u64, until: u64) -> String {
    let inside = |micros: Option<u64>| micros.is_some_and(|micros| from <= micros && micros < until);
    let marks = [("p50", metric.p50_us, 2), ("p90", metric.p90_us, 10), ("p99", metric.p99_us, 100)];
    let marks = marks.into_iter().filter(|(_, micros, least)| metric.count >= *least && inside(*micros));
    marks.map(|(name, _, _)| name).collect::<Vec<_>>().join(" ")
}

/// The how-manieth row of a long gap this is. None if it is in no such gap.
fn in_gap(rows: &[Row], index: usize) -> Option<usize> {
    let empty = |row: &&Row| row.count == 0;
    let before = rows[..index].iter().rev().take_while(empty).count();
    let after = rows[index..].iter().take_while(empty).count();
    (after > 0 && before + after >= LONG_GAP).then_some(before)
}

/// The buckets (upper edge in microseconds, count) gathered into few rows without gaps, from the first to the last
/// that is not empty.
fn rows(buckets: &[(u64, u64)]) -> Vec<Row> {
    let lines = |rows: &[Row]| (0..rows.len()).filter(|index| in_gap(rows, *index).unwrap_or(0) == 0).count();
    let choices = DIVISIONS.into_iter().map(|division| gathered(buckets, division));
    choices.reduce(|fine, coarse| if lines(&fine) <= MOST_ROWS { fine } else { coarse }).unwrap_or_default()
}

fn gathered(buckets: &[(u64, u64)], division: u32) -> Vec<Row> {
    let decade = || (0..division).map(|part| edge(part, division));
    let scales = (0..11).map(|exponent| 10_u64.pow(exponent));
    let edges = scales.flat_map(|scale| decade().map(move |edge| edge * scale));
    // Fractions of a microsecond have no meaning.
    let whole = edges.filter(|edge| edge % 100 == 0).map(|edge| edge / 100);
    let mut rows: Vec<Row> = whole.map(|from| Row { from, count: 0 }).collect();
    for (value, count) in buckets {
        let row = rows.partition_point(|row| row.from <= *value).saturating_sub(1);
        rows[row].count += count;
    }
    let last = rows.iter().rposition(|row| row.count > 0).map_or(0, |last| last + 1);
    rows.truncate(last);
    let first = rows.iter().position(|row| row.count > 0).unwrap_or(0);
    rows.split_off(first)
}

/// The lower edge of the row `part` of a decade, in hundredths: evenly apart on a logarithmic scale, so that one row is
/// as much wider than the one before as any other, and rounded to what is read easily.
fn edge(part: u32, division: u32) -> u64 {
    let exact = 100.0 * 10_f64.powf(f64::from(part) / f64::from(division));
    match division {
        3 => [100, 200, 500][part as usize],
        0..=12 => (exact / 10.0).round() as u64 * 10,
        _ => exact.round() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(buckets: &[(u64, u64)]) -> Vec<(u64, u64)> {
        rows(buckets).into_iter().map(|row| (row.from, row.count)).collect()
    }

    #[test]
    fn close_values_get_fine_rows_and_wide_ones_coarse_rows() {
        assert_eq!(shown(&[(1500, 3), (1570, 4), (1700, 5)]), [(1470, 3), (1540, 4), (1620, 0), (1690, 5)]);
        let wide: Vec<_> = (0..27).map(|octave| (1 << octave, 1)).collect();
        assert_eq!(shown(&wide).iter().map(|(from, _)| *from).take(3).collect::<Vec<_>>(), [1, 10, 100]);
    }

    #[test]
    fn a_long_gap_takes_one_line_and_leaves_room_for_fine_rows() {
        let humps = rows(&[(1000, 9), (1060, 9), (90_000, 1)]);
        assert_eq!(humps[1], Row { from: 1050, count: 9 });
        assert_eq!(
            [1, 2, 3, humps.len() - 1].map(|index| in_gap(&humps, index)),
            [None, Some(0), Some(1), None]
        );
    }

    #[test]
    fn no_value_is_lost_between_the_rows() {
        let buckets: Vec<_> = (1..5000).map(|n| (n * n, n)).collect();
        let total: u64 = buckets.iter().map(|(_, count)| count).sum();
        for division in DIVISIONS {
            assert_eq!(gathered(&buckets, division).iter().map(|row| row.count).sum::<u64>(), total);
        }
    }

    #[test]
    fn a_bar_is_exact_to_an_eighth_and_little_is_never_nothing() {
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(50, 100, 5), "██▌");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(0, 100, 10), "");
    }
}
