use super::*;
use crate::document::Span;
use crate::measure::Tally;
use crate::threshold::Relation;
use crate::verdict::{Measured, judge_thresholds};

const MS: Duration = Duration::from_millis(1);

fn p99_below(metric: Metric, limit: Duration) -> Threshold {
    Threshold {
        text: format!("{metric} p99 < {}", duration(limit)),
        subject: Subject::Quantile(metric, 0.99),
        of: None,
        relation: Relation::Less,
        limit: Limit::Latency(limit),
        answers: None,
        after: None,
        aborts: false,
        span: Span::default(),
    }
}

/// What speaks against a run with these rounds and these values, each a thousand times.
fn doubted(
    generator: &Generator,
    (due, begun): (u64, u64),
    values: &[(Metric, Duration)],
    thresholds: &[Threshold],
) -> Vec<(Weight, String)> {
    let mut figures = Figures::default();
    figures.count(Counter::ConnectOk, 1, true);
    figures.count(Counter::RoundsDue, due, true);
    figures.count(Counter::RoundsBegun, begun, true);
    for (metric, value) in values {
        (0..1000).for_each(|_| figures.latency(*metric, *value, true));
    }
    let mut tally = Tally::new();
    tally.add(&figures);
    let measured =
        Measured { tally: &tally, parts: &[], deliveries: None, duration: MS, whole: MS, whole_after: &[] };
    let judged = judge_thresholds(thresholds, &measured);
    let doubts = doubts(generator, &figures, thresholds, &judged);
    doubts.into_iter().map(|doubt| (doubt.weight, doubt.words)).collect()
}

fn busy(busiest: f64) -> Generator {
    Generator { busiest: Some(busiest), ..Generator::default() }
}

#[test]
fn a_generator_with_time_to_spare_is_not_doubted() {
    let values = [(Metric::Ack, MS * 3), (Metric::Lag, MS)];
    let thresholds = [p99_below(Metric::Ack, MS * 20)];
    assert_eq!(doubted(&busy(0.5), (1000, 1000), &values, &thresholds), []);
    assert_eq!(doubted(&Generator::default(), (0, 0), &values, &thresholds), []);
}

#[test]
fn a_paced_load_from_a_thread_without_a_pause_is_not_valid() {
    let thresholds = [p99_below(Metric::Ack, MS * 20)];
    let doubts = doubted(&busy(0.99), (1000, 1000), &[(Metric::Ack, MS * 3)], &thresholds);
    assert!(matches!(&doubts[..], [(Weight::Grave, words)] if words.contains("busy for 99 %")), "{doubts:?}");
    // Without a pace the clients are as fast as both sides can be, and the generator is meant to have no pause.
    assert_eq!(doubted(&busy(0.99), (0, 0), &[(Metric::Ack, MS * 3)], &thresholds), []);
    // And where no threshold asks how fast something was, nothing rests on it.
    let told = doubted(&busy(0.99), (1000, 1000), &[(Metric::Ack, MS * 3)], &[]);
    assert_eq!(told.iter().map(|(weight, _)| *weight).collect::<Vec<_>>(), [Weight::Told]);
}

#[test]
fn a_rate_that_was_not_reached_weighs_more_when_the_generator_had_no_time() {
    let thresholds = [p99_below(Metric::Ack, MS * 20)];
    let values = [(Metric::Ack, MS * 3)];
    let waiting = doubted(&busy(0.3), (1000, 900), &values, &thresholds);
    assert!(
        matches!(&waiting[..], [(Weight::Light, words)] if words.contains("900 of 1,000 rounds")),
        "{waiting:?}"
    );
    let overloaded = doubted(&busy(0.97), (1000, 900), &values, &thresholds);
    assert!(overloaded.iter().all(|(weight, _)| *weight == Weight::Grave), "{overloaded:?}");
    assert_eq!(doubted(&busy(0.3), (1000, 960), &values, &thresholds), []);
}

#[test]
fn a_limit_that_only_the_generators_lag_has_broken_says_nothing_of_the_server() {
    let thresholds = [p99_below(Metric::Ack, MS * 20)];
    let late =
        doubted(&busy(0.3), (1000, 1000), &[(Metric::Ack, MS * 25), (Metric::Lag, MS * 14)], &thresholds);
    assert!(matches!(&late[..], [(Weight::Grave, words)] if words.contains("delay of 14 ms")), "{late:?}");
    // With the lag taken off it is still too slow.
    let slow = [(Metric::Ack, MS * 45), (Metric::Lag, MS * 14)];
    assert_eq!(doubted(&busy(0.3), (1000, 1000), &slow, &thresholds), []);
    // A limit that was met in spite of the lag was met.
    let met = [(Metric::Ack, MS * 18), (Metric::Lag, MS * 14)];
    assert_eq!(doubted(&busy(0.3), (1000, 1000), &met, &thresholds), []);
    // A connect has a lag of its own.
    let connects = [(Metric::Connect, MS * 25), (Metric::Lag, MS * 14)];
    assert_eq!(doubted(&busy(0.3), (1000, 1000), &connects, &[p99_below(Metric::Connect, MS * 20)]), []);
}

#[test]
fn a_machine_that_runs_short_of_ports_or_files_measures_nothing() {
    let generator = Generator { without_port: 3, without_file: 1, out_of_time: true, ..busy(0.1) };
    let doubts = doubted(&generator, (0, 0), &[], &[]);
    assert_eq!(doubts.len(), 3, "{doubts:?}");
    assert!(doubts.iter().all(|(weight, _)| *weight == Weight::Grave));
    assert!(
        doubts.iter().any(|(_, words)| words.contains("3 connections failed") && words.contains("--source"))
    );
}

#[test]
fn a_slow_answer_on_a_machine_that_others_use_says_nothing_of_the_server() {
    let disturbed = Generator { others: Some(0.61), ..busy(0.3) };
    let thresholds = [p99_below(Metric::Ack, MS * 20)];
    let slow = doubted(&disturbed, (1000, 1000), &[(Metric::Ack, MS * 45)], &thresholds);
    assert!(matches!(&slow[..], [(Weight::Grave, words)] if words.contains("used 61 %")), "{slow:?}");
    assert_eq!(doubted(&disturbed, (1000, 1000), &[(Metric::Ack, MS * 15)], &thresholds), []);
    let quiet = Generator { others: Some(0.05), ..busy(0.3) };
    assert_eq!(doubted(&quiet, (1000, 1000), &[(Metric::Ack, MS * 45)], &thresholds), []);
}
