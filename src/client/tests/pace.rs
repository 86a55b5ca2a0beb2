//! When the rounds of a `repeat` begin: by a schedule, after a thought, in bursts, spread over a crowd.

use super::stage::{Play, connected, play};
use super::*;

/// When rounds begin in so many milliseconds, told from the begin of the act; the client is connected.
fn begun(play: &mut Play<'_>, act: usize, millis: u64) -> Vec<u64> {
    play.said();
    let mut moments = vec![0; 0];
    play.begin(act);
    moments.extend(play.said().iter().map(|_| 0));
    for now in 1..=millis {
        play.pass(1);
        moments.extend(play.said().iter().map(|_| now));
    }
    moments
}

fn of_one(repeat: &str, millis: u64) -> Vec<u64> {
    let mut moments = Vec::new();
    let script = format!("- alice: {{ repeat: {{ {repeat}, steps: [ {{ emit: {{ event: a }} }} ] }} }}");
    connected(&script, |mut play| moments = begun(&mut play, 1, millis));
    moments
}

/// The same for one client of a crowd of four.
fn of_many(repeat: &str, n: usize, millis: u64) -> Vec<u64> {
    let mut moments = Vec::new();
    let script = format!(
        "- crowd: connect\n- crowd: {{ repeat: {{ {repeat}, steps: [ {{ emit: {{ event: a }} }} ] }} }}"
    );
    play("{ crowd: 4 }", &script, n, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(stage::OPEN);
        play.hear(r#"40{"sid":"s"}"#);
        moments = begun(&mut play, 1, millis);
    });
    moments
}

#[test]
fn a_crowd_that_starts_spread_begins_one_after_the_other_within_one_distance() {
    for (n, first) in [(0, 0), (1, 25), (2, 50), (3, 75)] {
        let spread = of_many("for: 300ms, every: 100ms, start: spread", n, 400);
        assert_eq!(spread, [first, first + 100, first + 200], "{n}");
        assert_eq!(of_many("for: 300ms, every: 100ms", n, 400), [0, 100, 200], "{n}");
    }
    assert_eq!(of_many("times: 2, think: 100ms, start: spread", 3, 400), [75, 175]);
}

#[test]
fn rounds_by_poisson_come_as_often_as_asked_and_at_moments_of_their_own() {
    // Shorter than a server that says nothing is trusted.
    let moments = of_one("for: 40s, every: 100ms, by: poisson", 40_000);
    assert!((320..480).contains(&moments.len()), "{}", moments.len());
    let gaps: Vec<u64> = moments.windows(2).map(|two| two[1] - two[0]).collect();
    // Of an exponential distribution 1/e lies beyond the mean; of an even one nothing does.
    let long = gaps.iter().filter(|gap| **gap > 100).count() as f64 / gaps.len() as f64;
    assert!((long - (-1.0f64).exp()).abs() < 0.1, "{long}");
    let (one, other) = (
        of_many("times: 5, every: 100ms, by: poisson", 0, 2_000),
        of_many("times: 5, every: 100ms, by: poisson", 1, 2_000),
    );
    assert_ne!(one, other);
    assert_eq!(one, of_many("times: 5, every: 100ms, by: poisson", 0, 2_000));
}

#[test]
fn a_client_that_thinks_begins_again_so_long_after_it_is_done() {
    let script =
        "- alice: { repeat: { times: 3, think: 100ms, steps: [ { emit: { event: a, ack: true } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        assert_eq!(play.said().len(), 1);
        play.pass(70);
        play.hear("430[]");
        assert_eq!((play.said().len(), play.wake()), (0, Some(100)));
        play.pass(100);
        assert_eq!(play.said().len(), 1);
        // Told from when it was due, which was when the thought was over.
        play.pass(30);
        play.hear("431[]");
        assert_eq!(play.found.latency(Metric::Ack), [70, 30]);
    });
}

#[test]
fn thoughts_by_chance_keep_their_bounds() {
    let moments = of_one("times: 200, think: { between: [10ms, 50ms] }", 10_000);
    let gaps: Vec<u64> = moments.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(gaps.len(), 199);
    // To the next millisecond.
    assert!(gaps.iter().all(|gap| (9..=51).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < 20) && gaps.iter().any(|gap| *gap > 40), "{gaps:?}");
}

#[test]
fn in_bursts_rounds_are_due_only_while_one_lasts() {
    let moments = of_one("for: 1s, every: 40ms, bursts: { on: 100ms, off: 300ms }", 1_200);
    // The schedule goes on where it was: of every 100 ms of bursts, 2.5 rounds are due.
    assert_eq!(moments, [0, 40, 80, 420, 460, 800, 840, 880]);
    let thinking = of_one("for: 1s, think: 40ms, bursts: { on: 100ms, off: 300ms }", 1_200);
    assert_eq!(thinking, [0, 40, 80, 400, 440, 480, 800, 840, 880]);
}

#[test]
fn each_client_may_have_bursts_of_its_own() {
    let bursts = "for: 4s, every: 10ms, bursts: { on: 100ms, off: 300ms, phase: random }";
    let begun: Vec<Vec<u64>> = (0..4).map(|n| of_many(bursts, n, 4_000)).collect();
    for moments in &begun {
        // Ten bursts of ten rounds, of which one may be cut in two by the begin and the end.
        assert!((99..=101).contains(&moments.len()), "{moments:?}");
        let pauses = moments.windows(2).filter(|two| two[1] - two[0] > 250).count();
        assert!((9..=10).contains(&pauses), "{moments:?}");
    }
    let firsts: Vec<u64> =
        begun.iter().filter_map(|moments| moments.iter().find(|at| **at > 20)).copied().collect();
    assert!(firsts.windows(2).any(|two| two[0] != two[1]), "{firsts:?}");
}

#[test]
fn a_late_round_moves_no_due_time_whatever_the_pace() {
    for pace in [
        "every: 100ms, by: poisson",
        "every: 100ms, bursts: { on: 150ms, off: 50ms }",
        "every: 100ms, jitter: 50%",
    ] {
        let script = format!(
            "- alice: {{ repeat: {{ times: 8, {pace}, steps: [ {{ emit: {{ event: a, ack: true }} }} ] }} }}"
        );
        // When a round is done is up to the server; when it is due is not.
        let dues = |stall: u64| {
            let mut dues = Vec::new();
            connected(&script, |mut play| {
                let began = play.now;
                play.begin(1);
                let mut sent = 0;
                for _ in 0..3_000 {
                    if !play.said().is_empty() {
                        let now = play.now.duration_since(began).as_millis();
                        play.pass(stall);
                        play.hear(&format!("43{sent}[]"));
                        sent += 1;
                        // What lies between due and sent is in the one series and not in the other.
                        let last = |metric| play.found.latency(metric).last().copied().unwrap_or_default();
                        dues.push(now - (last(Metric::Ack) - last(Metric::AckService)));
                    }
                    play.pass(1);
                }
            });
            dues
        };
        let (quick, slow) = (dues(0), dues(170));
        assert_eq!((quick.len(), slow.len()), (8, 8));
        let far = quick.iter().zip(&slow).any(|(quick, slow)| quick.abs_diff(*slow) > 2);
        assert!(!far, "{pace}: {quick:?} {slow:?}");
    }
}

#[test]
fn messages_of_another_length_each_time_carry_their_stamp() {
    let script = "- alice: { repeat: { times: 50, steps: [ { broadcast: { event: said, bytes: { between: [32, 90] } } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        let mut lengths = Vec::new();
        for id in 0..50 {
            let said = play.said().concat();
            let stamp = said.find(crate::audit::stamp::MARK).expect("it is stamped");
            let text: String = said[stamp..].chars().take_while(|c| *c != '"').collect();
            assert!(text[32..].chars().all(|c| c == 'x'), "{said}");
            lengths.push(text.len());
            play.hear(&format!("43{id}[]"));
        }
        assert!(lengths.iter().all(|length| (32..=90).contains(length)), "{lengths:?}");
        lengths.sort_unstable();
        lengths.dedup();
        assert!(lengths.len() > 20, "{lengths:?}");
    });
}
