use super::*;
use crate::report::course::DoubtResult;
use crate::report::example::{flawless, troubled};
use crate::report::result::WireResult;
use crate::verdict::DoubtKind;

fn plain(width: u16) -> Look {
    Look { width, colour: false }
}

/// The text without what [`owo_colors`] puts around it.
pub(super) fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[test]
fn a_run_with_troubles_reads_like_this_in_60_columns() {
    insta::assert_snapshot!(render(&troubled(), plain(60), Detail::Usual));
}

#[test]
fn a_run_with_troubles_reads_like_this_in_100_columns() {
    insta::assert_snapshot!(render(&troubled(), plain(100), Detail::Usual));
}

#[test]
fn a_flawless_run_reads_like_this_in_60_columns() {
    insta::assert_snapshot!(render(&flawless(), plain(60), Detail::Usual));
}

#[test]
fn a_flawless_run_reads_like_this_in_100_columns() {
    insta::assert_snapshot!(render(&flawless(), plain(100), Detail::Usual));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 100, 120] {
        for result in [troubled(), flawless()] {
            let text = render(&result, plain(width), Detail::Usual);
            let wide: Vec<_> =
                text.lines().filter(|line| layout::columns(line) > usize::from(width)).collect();
            assert_eq!(wide, Vec::<&str>::new(), "in {width} columns");
        }
    }
}

#[test]
fn nothing_from_a_server_or_a_file_reaches_the_terminal_unescaped() {
    let mut result = troubled();
    let evil = "\u{1b}[31m\r\n\u{7}\u{202e}";
    let name = |text: &mut String| text.push_str(evil);
    name(&mut result.scenario.name);
    result.scenario.spec = Some(evil.into());
    name(&mut result.verdict.reason);
    name(&mut result.target.url);
    result.target.command = Some(evil.into());
    result.target.software = Some(evil.into());
    name(&mut result.tool_version);
    name(&mut result.started);
    name(&mut result.environment.os);
    for check in &mut result.checks {
        [&mut check.step, &mut check.file, &mut check.source].into_iter().for_each(name);
        for failure in &mut check.failures {
            [&mut failure.client, &mut failure.expected, &mut failure.actual].into_iter().for_each(name);
            failure.wire.iter_mut().for_each(|line| name(&mut line.text));
        }
    }
    result.deliveries.iter_mut().flat_map(|found| &mut found.offenders).for_each(name);
    for threshold in &mut result.thresholds {
        [&mut threshold.text, &mut threshold.value_text, &mut threshold.limit_text]
            .into_iter()
            .for_each(name);
    }
    result.metrics.iter_mut().for_each(|metric| name(&mut metric.name));
    result.scenario.overrides.iter_mut().for_each(name);
    result.phases.iter_mut().for_each(|phase| name(&mut phase.name));
    let doubt = DoubtResult { kind: DoubtKind::OwnLag, sentence: evil.into() };
    result.generator.iter_mut().for_each(|generator| generator.doubts.push(doubt.clone()));
    for error in &mut result.errors {
        name(&mut error.cause);
        for example in &mut error.examples {
            [&mut example.client, &mut example.detail].into_iter().for_each(name);
            example.wire.push(WireResult { at_us: 1, sent: true, text: evil.into() });
        }
    }
    for text in [render(&result, plain(80), Detail::Usual), render(&result, plain(80), Detail::Everything)] {
        let obeyed = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().filter(obeyed).collect::<String>(), "");
    }
}

#[test]
fn colours_are_the_only_difference_between_plain_and_coloured() {
    let coloured = render(&troubled(), Look { width: 80, colour: true }, Detail::Usual);
    assert_eq!(without_colours(&coloured), render(&troubled(), plain(80), Detail::Usual));
    assert_ne!(coloured, render(&troubled(), plain(80), Detail::Usual));
}

#[test]
fn where_little_is_asked_for_a_line_tells_a_passed_run_and_nothing_is_kept_back_of_another() {
    assert_eq!(render(&flawless(), plain(80), Detail::Little), "✓ The server says hello\n");
    let failed = |detail| render(&troubled(), plain(80), detail);
    assert_eq!(failed(Detail::Little), failed(Detail::Usual));
}

#[test]
fn where_everything_is_asked_for_each_step_each_counter_and_the_frames_of_troubles_are_told() {
    insta::assert_snapshot!(render(&troubled(), plain(100), Detail::Everything));
    let result = troubled();
    let text = render(&result, plain(200), Detail::Everything);
    for check in &result.checks {
        assert!(text.contains(&check.step), "{}", check.step);
    }
    for counter in &result.counters {
        assert!(text.contains(&format!("  {}", counter.name)), "{}", counter.name);
    }
    for line in result.errors.iter().flat_map(|error| &error.examples).flat_map(|example| &example.wire) {
        assert!(text.contains(&line.text), "{}", line.text);
    }
}

#[test]
fn a_damaged_histogram_costs_the_drawing_and_nothing_else() {
    let mut result = troubled();
    result.metrics.iter_mut().for_each(|metric| metric.histogram = "damaged".into());
    let text = render(&result, plain(80), Detail::Usual);
    assert!(!text.contains('█') && text.contains("delivery"));
}
