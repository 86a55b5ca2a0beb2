//! The course of runs as CSV (RFC 4180): one row for each interval, a header with the unit in each name.
//!
//! Numbers stand bare, texts in quotes. What was not measured in an interval is empty.

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::RunResult;
use super::course::Course;

/// One column: its name, and its value in a row of a course.
type Column = (&'static str, fn(&Course, usize) -> String);

const COLUMNS: [Column; 38] = [
    ("interval_s", |course, row| seconds(end(course, row).saturating_sub(begin(course, row)))),
    ("at_s", |course, row| seconds(end(course, row))),
    ("connected_clients", |course, row| whole(&course.connected, row)),
    ("connects_asked", |course, row| whole(&course.connects_asked, row)),
    ("connects_ok", |course, row| whole(&course.connects_ok, row)),
    ("connects_failed", |course, row| whole(&course.connects_failed, row)),
    ("dropped_connections", |course, row| whole(&course.dropped, row)),
    ("sent_events", |course, row| whole(&course.sent, row)),
    ("received_events", |course, row| whole(&course.received, row)),
    ("acks", |course, row| whole(&course.acks, row)),
    ("acks_missed", |course, row| whole(&course.acks_missed, row)),
    ("responses", |course, row| whole(&course.responses, row)),
    ("responses_missed", |course, row| whole(&course.responses_missed, row)),
    ("deliveries", |course, row| whole(&course.deliveries, row)),
    ("in_bytes", |course, row| whole(&course.bytes_in, row)),
    ("out_bytes", |course, row| whole(&course.bytes_out, row)),
    ("due_actions", |course, row| whole(&course.due, row)),
    ("begun_actions", |course, row| whole(&course.begun, row)),
    ("failed_checks", |course, row| whole(&course.failed, row)),
    ("ack_p50_us", |course, row| measured(&course.ack.p50_us, row)),
    ("ack_p90_us", |course, row| measured(&course.ack.p90_us, row)),
    ("ack_p99_us", |course, row| measured(&course.ack.p99_us, row)),
    ("ack_max_us", |course, row| measured(&course.ack.max_us, row)),
    ("response_p50_us", |course, row| measured(&course.response.p50_us, row)),
    ("response_p90_us", |course, row| measured(&course.response.p90_us, row)),
    ("response_p99_us", |course, row| measured(&course.response.p99_us, row)),
    ("response_max_us", |course, row| measured(&course.response.max_us, row)),
    ("delivery_p50_us", |course, row| measured(&course.delivery.p50_us, row)),
    ("delivery_p90_us", |course, row| measured(&course.delivery.p90_us, row)),
    ("delivery_p99_us", |course, row| measured(&course.delivery.p99_us, row)),
    ("delivery_max_us", |course, row| measured(&course.delivery.max_us, row)),
    ("lag_p50_us", |course, row| measured(&course.lag.p50_us, row)),
    ("lag_p90_us", |course, row| measured(&course.lag.p90_us, row)),
    ("lag_p99_us", |course, row| measured(&course.lag.p99_us, row)),
    ("lag_max_us", |course, row| measured(&course.lag.max_us, row)),
    ("generator_cpus", |course, row| measured(&course.generator_cpu, row)),
    ("server_cpus", |course, row| measured(&course.server_cpu, row)),
    ("server_memory_bytes", |course, row| measured(&course.server_memory, row)),
];

/// The table of all runs, one after another. A run without a course has no row.
pub fn to_csv(results: &[RunResult]) -> String {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::NonNumeric)
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let header = ["scenario", "started"].into_iter().chain(COLUMNS.map(|(name, _)| name));
    let mut write = |row: Vec<String>| writer.write_record(row).expect("a vector takes every row");
    write(header.map(str::to_owned).collect());
    for result in results {
        let Some(course) = &result.course else { continue };
        for row in 0..course.at_us.len() {
            let mut cells = vec![harmless(&result.scenario.name), harmless(&result.started)];
            cells.extend(COLUMNS.iter().map(|(_, cell)| cell(course, row)));
            write(cells);
        }
    }
    let bytes = writer.into_inner().expect("a vector takes every row");
    String::from_utf8(bytes).expect("it was written from texts")
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn end(course: &Course, row: usize) -> u64 {
    course.at_us.get(row).copied().unwrap_or_default()
}

fn begin(course: &Course, row: usize) -> u64 {
    row.checked_sub(1).map_or(0, |before| end(course, before))
}

fn seconds(micros: u64) -> String {
    (micros as f64 / 1e6).to_string()
}

fn whole(column: &[u64], row: usize) -> String {
    column.get(row).map(u64::to_string).unwrap_or_default()
}

fn measured<T: Copy + ToString>(column: &[Option<T>], row: usize) -> String {
    column.get(row).copied().flatten().map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::course::Quantiles;
    use crate::report::example::{flawless, troubled};

    fn read(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let owned = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let header = owned(reader.headers().expect("there is a header"));
        (header, reader.records().map(|record| owned(&record.expect("it is a row"))).collect())
    }

    #[test]
    fn every_interval_is_a_row_and_says_what_the_course_says() {
        let result = troubled();
        let (header, rows) = read(&to_csv(&[result.clone(), flawless()]));
        let course = result.course.expect("it has a course");
        assert_eq!(rows.len(), course.at_us.len());
        let cell = |row: usize, name: &str| {
            let column = header.iter().position(|known| known == name).expect("there is such a column");
            rows[row][column].as_str()
        };
        assert_eq!(cell(0, "scenario"), "Fifty busy chat rooms");
        assert_eq!((cell(31, "at_s"), cell(31, "interval_s")), ("32", "1"));
        assert_eq!((cell(63, "at_s"), cell(63, "interval_s")), ("63.412", "0.412"));
        assert_eq!((cell(0, "ack_p99_us"), cell(31, "ack_p99_us")), ("", "900000"));
        assert_eq!((cell(31, "server_cpus"), cell(31, "failed_checks")), ("0.02", "10"));
        assert_eq!(cell(0, "server_memory_bytes"), "52000000");
    }

    #[test]
    fn texts_stand_in_quotes_numbers_do_not_and_lines_end_as_the_rfc_says() {
        let mut result = troubled();
        result.scenario.name = "=1+\"2\",\n3".into();
        let text = to_csv(&[result]);
        let second = text.split("\r\n").nth(1).expect("there is a row");
        assert!(second.starts_with("\"'=1+\"\"2\"\",\n3\",\"2026-11-21T02:14:07Z\",1,1,0,667,"), "{second}");
        assert!(text.ends_with("\r\n"));
    }

    #[test]
    fn a_course_with_columns_that_are_too_short_costs_their_cells_alone() {
        let mut result = troubled();
        if let Some(course) = &mut result.course {
            course.sent.truncate(3);
            course.ack = Quantiles::default();
        }
        let (_, rows) = read(&to_csv(&[result]));
        assert_eq!(rows.len(), 64);
    }
}
