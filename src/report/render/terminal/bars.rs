//! A latency series drawn in characters: bars over buckets that grow like the values do.

use std::time::Duration;

use super::Page;
use crate::measure::format::{self, count};
use crate::report::block::{Bars, Text};

const MOST_ROWS: usize = 16;
/// This number of consecutive empty rows is shown as one line.
const LONG_GAP: usize = 3;
const WIDEST_BAR: usize = 60;
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// How many rows to a decade, from fine to coarse; the first that needs few enough rows is taken.
const DIVISIONS: [u32; 6] = [48, 24, 12, 6, 3, 1];

/// Values from `from` (in microseconds) to the next row's `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bar {
    from: u64,
    count: u64,
}

pub(super) fn write(page: &mut Page, bars: &Bars) {
    let rows = rows(&bars.buckets);
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(bars.overflow);
    let sizes = Sizes { most, numbers: count(most).len(), room: 0 };
    let room = usize::from(page.look.width).saturating_sub(LABEL + 3 + sizes.numbers + 2 + MARKS);
    let sizes = Sizes { room: room.clamp(8, WIDEST_BAR), ..sizes };
    page.text.push('\n');
    page.wrapped("", "", &Text::default().strong(&*bars.title));
    for (index, row) in rows.iter().enumerate() {
        match in_gap(&rows, index) {
            Some(0) => page.row(&page.styled(&Text::default().quiet(format!("{:>LABEL$} ┊", "⋮")))),
            Some(_) => {}
            None => {
                let until = rows.get(index + 1).map_or(u64::MAX, |next| next.from);
                let inside = |(_, micros): &&(&str, u64)| row.from <= *micros && *micros < until;
                let marks: Vec<&str> = bars.marks.iter().filter(inside).map(|(name, _)| *name).collect();
                let from = format::duration(Duration::from_micros(row.from));
                line(page, &from, row.count, sizes, &marks.join(" "));
            }
        }
    }
    if bars.overflow > 0 {
        line(page, "> 2 min", bars.overflow, sizes, "");
    }
}

/// Columns for the value at which a row begins.
const LABEL: usize = 10;
/// Columns for the names of percentiles.
const MARKS: usize = 12;

/// What all rows of a drawing share: the highest count, its digits, and the columns that a bar may take.
#[derive(Clone, Copy)]
struct Sizes {
    most: u64,
    numbers: usize,
    room: usize,
}

fn line(page: &mut Page, label: &str, value: u64, sizes: Sizes, marks: &str) {
    let Sizes { most, numbers, room } = sizes;
    let bar = bar(value, most, room);
    let blank = " ".repeat(room - bar.chars().count());
    let number = if value == 0 { String::new() } else { count(value) };
    let text = Text::default()
        .quiet(format!("{label:>LABEL$} ┊"))
        .plain(format!("{bar}{blank} {number:>numbers$}"))
        .quiet(format!("  {marks}"));
    page.row(&page.styled(&text));
}

/// A bar of `value` out of `most` in eighths of a character; nothing is drawn as nothing, little as an eighth.
fn bar(value: u64, most: u64, room: usize) -> String {
    if value == 0 || most == 0 {
        return String::new();
    }
    let eighths = ((value as f64 / most as f64 * room as f64 * 8.0).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// How many empty rows of the same long gap are above this one. None if it is in no such gap.
fn in_gap(rows: &[Bar], index: usize) -> Option<usize> {
    let empty = |row: &&Bar| row.count == 0;
    let before = rows[..index].iter().rev().take_while(empty).count();
    let after = rows[index..].iter().take_while(empty).count();
    (after > 0 && before + after >= LONG_GAP).then_some(before)
}

/// The buckets (upper edge in microseconds, count) gathered into few rows without gaps, from the first to the last
/// that is not empty.
fn rows(buckets: &[(u64, u64)]) -> Vec<Bar> {
    let lines = |rows: &[Bar]| (0..rows.len()).filter(|index| in_gap(rows, *index).unwrap_or(0) == 0).count();
    let choices = DIVISIONS.into_iter().map(|division| gathered(buckets, division));
    choices.reduce(|fine, coarse| if lines(&fine) <= MOST_ROWS { fine } else { coarse }).unwrap_or_default()
}

fn gathered(buckets: &[(u64, u64)], division: u32) -> Vec<Bar> {
    let decade = || (0..division).map(|part| edge(part, division));
    let scales = (0..11).map(|exponent| 10_u64.pow(exponent));
    let edges = scales.flat_map(|scale| decade().map(move |edge| edge * scale));
    // Fractions of a microsecond have no meaning.
    let whole = edges.filter(|edge| edge % 100 == 0).map(|edge| edge / 100);
    let mut rows: Vec<Bar> = whole.map(|from| Bar { from, count: 0 }).collect();
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
        assert_eq!(humps[1], Bar { from: 1050, count: 9 });
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
