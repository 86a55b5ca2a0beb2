//! The course of results whose server changed on some day, or on none.

use super::super::example::run;
use super::*;
use crate::compare::{stored, trend_report};
use crate::report::json::to_json;
use crate::report::{Detail, RunResult, html, terminal};

/// A result of day `day`, so many times slower than the example.
fn result(day: usize, slower: f64) -> RunResult {
    let mut result = run(slower, 10);
    result.started = format!("2026-11-{:02}T08:00:00Z", day + 1);
    result.scenario.label = Some(format!("commit {day}"));
    result
}

/// A little noise, which is the same each time.
fn noise(day: usize) -> f64 {
    1.0 + 0.01 * ((day * 7) % 5) as f64
}

fn course_of(results: &[RunResult]) -> Trend {
    let read = |(day, result): (usize, &RunResult)| {
        let stored = stored::read(&to_json(std::slice::from_ref(result))).expect("it is a result");
        (format!("day-{day}"), stored)
    };
    trend(results.iter().enumerate().map(read).collect(), 1)
}

/// Twenty days, slower from the twelfth on.
fn slower_from_day_12() -> Vec<RunResult> {
    (0..20).map(|day| result(day, noise(day) * if day < 12 { 1.0 } else { 1.3 })).collect()
}

fn figure<'t>(trend: &'t Trend, name: &str) -> &'t FigureCourse {
    trend.courses[0].figures.iter().find(|figure| figure.figure == name).expect("it was measured")
}

fn demands(text: &str) -> [Demand; 1] {
    [Demand::parse(text).expect("it is a demand")]
}

#[test]
fn a_change_is_told_with_its_result_its_size_and_how_sure_it_is() {
    let mut results = slower_from_day_12();
    results.reverse();
    let trend = course_of(&results);
    let [change] = figure(&trend, "delivery p50").changes[..] else { panic!("{trend:?}") };
    assert_eq!(trend.courses[0].points[change.at].label, "commit 12");
    let ratio = change.ratio.expect("there are enough");
    assert!((1.2..1.4).contains(&(change.after / change.before)) && ratio.holds(1.3), "{change:?}");
    assert!(change.confidence > 0.95, "{change:?}");
    assert_eq!(figure(&trend, "deliveries").changes, []);
    let text =
        terminal(&trend_report(&trend), crate::report::Look { width: 200, colour: false }, Detail::Usual);
    assert!(text.contains("delivery p50 worse by ") && text.contains("from commit 12 on"), "{text}");
    assert!(html(&trend_report(&trend)).contains("commit 12"));
}

#[test]
fn results_without_a_change_show_none() {
    let trend = course_of(&(0..20).map(|day| result(day, noise(day))).collect::<Vec<_>>());
    assert!(trend.courses[0].figures.iter().all(|figure| figure.changes.is_empty()), "{trend:?}");
    assert_eq!(trend.notes, [""; 0]);
}

#[test]
fn the_newest_result_fails_if_it_is_worse_than_the_last_good_one_and_than_all_others() {
    let with_last = |slower: f64| {
        let mut results: Vec<RunResult> = (0..10).map(|day| result(day, noise(day))).collect();
        results.push(result(10, slower));
        course_of(&results)
    };
    let (status, said) = with_last(1.5).judge(&demands("delivery p50 worse by 10 %"));
    assert_eq!(status, Status::Failed);
    assert!(
        said[0].contains("than in commit 9, the last good result, and worse than in all 10 good"),
        "{said:?}"
    );
    assert_eq!(with_last(1.0).judge(&demands("delivery p50 worse by 0 %")), (Status::Passed, vec![]));
    assert_eq!(with_last(1.5).judge(&demands("delivery p50 worse by 90 %")).0, Status::Passed);
}

#[test]
fn a_result_that_failed_is_no_good_one() {
    let mut results: Vec<RunResult> = (0..10).map(|day| result(day, noise(day))).collect();
    results[8].verdict.status = Status::Failed;
    results.push(result(10, 1.5));
    let trend = course_of(&results);
    let newest = figure(&trend, "delivery p50").newest(&trend.courses[0].points).expect("it has one");
    assert_eq!(newest.good.map(|(place, _)| place), Some(9));
    results[9].verdict.status = Status::Failed;
    let trend = course_of(&results);
    let newest = figure(&trend, "delivery p50").newest(&trend.courses[0].points).expect("it has one");
    assert_eq!(newest.good.map(|(place, _)| place), Some(7));
}

#[test]
fn a_demand_that_nothing_can_decide_is_not_met() {
    let few = course_of(&(0..4).map(|day| result(day, 1.0)).collect::<Vec<_>>());
    let (status, said) = few.judge(&demands("delivery p50 worse by 10 %"));
    assert_eq!(status, Status::Invalid);
    assert!(
        said[0]
            .contains("4 good results before the newest are needed since the last change, and there are 3"),
        "{said:?}"
    );
    let (status, said) = few.judge(&demands("response p50 worse by 10 %"));
    assert_eq!((status, said.len()), (Status::Invalid, 1));
}

#[test]
fn results_of_another_text_or_machine_are_told() {
    let mut results: Vec<RunResult> = (0..6).map(|day| result(day, 1.0)).collect();
    results[0].scenario.hash = "another".to_owned();
    results[1].environment.cpus += 1;
    let trend = course_of(&results);
    assert_eq!(trend.courses[0].points.len(), 5);
    let said = trend.notes.join("\n");
    assert!(said.contains("1 of 6 results are of another machine than day-5"), "{said}");
    let name = &results[0].scenario.name;
    let left_out = format!("1 of 6 results of {name} had another text or another load than day-5");
    assert!(said.contains(&left_out), "{said}");
}
