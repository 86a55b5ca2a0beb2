use super::*;
use crate::report::example::{flawless, troubled};

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
    insta::assert_snapshot!(render(&troubled(), plain(60)));
}

#[test]
fn a_run_with_troubles_reads_like_this_in_100_columns() {
    insta::assert_snapshot!(render(&troubled(), plain(100)));
}

#[test]
fn a_flawless_run_reads_like_this_in_60_columns() {
    insta::assert_snapshot!(render(&flawless(), plain(60)));
}

#[test]
fn a_flawless_run_reads_like_this_in_100_columns() {
    insta::assert_snapshot!(render(&flawless(), plain(100)));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 100, 120] {
        for result in [troubled(), flawless()] {
            let text = render(&result, plain(width));
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
    result.generator.iter_mut().for_each(|generator| generator.doubts.push(evil.into()));
    for error in &mut result.errors {
        name(&mut error.cause);
        for example in &mut error.examples {
            [&mut example.client, &mut example.detail].into_iter().for_each(name);
        }
    }
    for text in [render(&result, plain(80)), render_line(&result, plain(80))] {
        let obeyed = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().filter(obeyed).collect::<String>(), "");
    }
}

#[test]
fn colours_are_the_only_difference_between_plain_and_coloured() {
    let coloured = render(&troubled(), Look { width: 80, colour: true });
    assert_eq!(without_colours(&coloured), render(&troubled(), plain(80)));
    assert_ne!(coloured, render(&troubled(), plain(80)));
}

#[test]
fn one_line_tells_a_passed_run_by_its_name_and_another_by_its_reason() {
    assert_eq!(render_line(&flawless(), plain(80)), "✓ The server says hello\n");
    let line = render_line(&troubled(), plain(80));
    assert!(line.starts_with("✗ Fifty busy chat rooms: 10 of "), "{line}");
    assert_eq!(line.matches('\n').count(), 1);
}

#[test]
fn a_damaged_histogram_costs_the_drawing_and_nothing_else() {
    let mut result = troubled();
    result.metrics.iter_mut().for_each(|metric| metric.histogram = "damaged".into());
    let text = render(&result, plain(80));
    assert!(!text.contains('█') && text.contains("delivery"));
}
