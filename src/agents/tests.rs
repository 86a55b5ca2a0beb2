//! What agents count, over a broker that loses, doubles and reorders.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::fleet::fits;
use super::link::{Inbox, Outbox};
use super::wire::{self, Letter, Offer, Said, decode, encode};
use crate::engine::{Accounts, Handover, Report, Second};
use crate::measure::{Figures, Series};
use crate::observe::{Counter, Metric};

/// Values of workers: by whom, in which second of the run, how long it took, and whether it belongs to the measured part.
type Values = Vec<(usize, u64, u64, bool)>;

const AGENTS: usize = 3;
const WORKERS: usize = 2 * AGENTS;
const SECONDS: u64 = 5;

/// What every worker hands over at the end of each second, from the one on in which it is there first. By agent, as it says it.
fn letters(values: &Values, first: &[u64]) -> Vec<VecDeque<Vec<u8>>> {
    let mut letters = vec![VecDeque::new(); AGENTS];
    let mut figures: Vec<Figures> = vec![Figures::default(); WORKERS];
    for seconds in 1..=SECONDS {
        for (worker, figures) in figures.iter_mut().enumerate() {
            let own = values.iter().filter(|(of, second, ..)| (*of, *second) == (worker, seconds));
            own.for_each(|value| count(figures, value));
            if seconds < first[worker] {
                continue;
            }
            let handover = Box::new(Handover::of(worker, seconds, figures.take()));
            let said = Said::Report(Report::Second(handover));
            letters[worker / 2].push_back(encode(&Letter { told: 0, said }));
        }
    }
    letters
}

fn count(figures: &mut Figures, (_, _, micros, is_measured): &(usize, u64, u64, bool)) {
    figures.latency(Metric::Delivery, Duration::from_micros(*micros), *is_measured);
    figures.count(Counter::Received, 1, *is_measured);
}

/// Carries what the agents say, over a broker that loses, doubles, reorders and holds back, and is away now and then. Agents come one
/// after the other. Gives the seconds that are complete, and everything.
fn carried(mut to_say: Vec<VecDeque<Vec<u8>>>, chance: &mut fastrand::Rng) -> (Vec<Second>, Accounts) {
    let mut accounts = Accounts::new(WORKERS, 0);
    let mut ties: Vec<(Outbox, Inbox, Vec<Bytes>)> =
        (0..AGENTS).map(|_| (Outbox::new(1, 200), Inbox::default(), Vec::new())).collect();
    let mut told = Vec::new();
    let all: usize = to_say.iter().map(VecDeque::len).sum();
    let (mut heard, mut round) = (0, 0);
    while heard < all {
        round += 1;
        assert!(round < 100_000, "it does not end");
        let is_away = chance.u8(0..10) == 0;
        for (agent, (outbox, inbox, way)) in ties.iter_mut().enumerate() {
            if round < agent * 20 {
                continue;
            }
            let mut frames = to_say[agent].pop_front().map(|letter| outbox.say(&letter)).unwrap_or_default();
            if round % 4 == 0 {
                frames.extend(outbox.again());
            }
            for frame in frames.into_iter().filter(|_| !is_away) {
                way.extend(std::iter::repeat_n(frame, chance.usize(0..3)));
            }
            chance.shuffle(way);
            let kept = chance.usize(0..=way.len());
            for frame in way.drain(kept..) {
                for letter in inbox.take(frame) {
                    heard += 1;
                    let Some(Letter { said: Said::Report(Report::Second(handover)), .. }) = decode(&letter)
                    else {
                        panic!("it was a second");
                    };
                    told.extend(accounts.take(*handover));
                }
            }
            outbox.heard(0, inbox.expects());
        }
    }
    (told, accounts)
}

type Exact = (Option<Vec<(Duration, u64)>>, Option<[u64; 2]>, Option<[Duration; 3]>);

/// Everything that a histogram says.
fn exact(series: Option<&Series>) -> Exact {
    let moments = series.and_then(|series| Some([series.mean()?, series.min()?, series.max()?]));
    let numbers = series.map(|series| [series.count(), series.overflow()]);
    (series.map(|series| series.buckets().collect()), numbers, moments)
}

#[test]
fn an_agent_of_another_version_is_refused_with_both_versions() {
    let offer = |version: String| Offer {
        id: "1".to_owned(),
        name: "old".to_owned(),
        labels: Vec::new(),
        version,
        workers: 1,
        files: Some(1024),
        is_busy: false,
    };
    assert_eq!(fits(&offer(wire::mark())), Ok(()));
    let why = fits(&offer("sockrates 0.0.9/1".to_owned())).expect_err("it is another version");
    assert!(why.contains("`sockrates 0.0.9/1`") && why.contains(&wire::mark()), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn figures_of_several_agents_are_those_of_all_values_whatever_happens_on_the_way(
        values in prop::collection::vec((0..WORKERS, 1..=SECONDS, 0u64..300_000_000, any::<bool>()), 1..200),
        first in prop::collection::vec(1..=SECONDS, WORKERS),
        seed in any::<u64>(),
    ) {
        let mut whole = Figures::default();
        let mut by_second = vec![Figures::default(); SECONDS as usize];
        for value in &values {
            count(&mut whole, value);
            // Of a worker that comes late, everything before counts in its first second.
            count(&mut by_second[value.1.max(first[value.0]) as usize - 1], value);
        }
        let (told, accounts) = carried(letters(&values, &first), &mut fastrand::Rng::with_seed(seed));
        let sum = accounts.tally();
        prop_assert_eq!(exact(sum.series(Metric::Delivery)), exact(whole.series(Metric::Delivery)));
        prop_assert_eq!(sum.counter(Counter::Received), whole.counter(Counter::Received));
        prop_assert_eq!(sum.figures().ever(Counter::Received), whole.ever(Counter::Received));
        prop_assert_eq!(told.len(), by_second.len());
        for (number, (told, expected)) in told.iter().zip(&by_second).enumerate() {
            prop_assert_eq!(told.end, Duration::from_secs(number as u64 + 1));
            let mut figures = Figures::default();
            figures.put(&told.figures);
            prop_assert_eq!(exact(figures.series(Metric::Delivery)), exact(expected.series(Metric::Delivery)));
            prop_assert_eq!(figures.ever(Counter::Received), expected.ever(Counter::Received));
        }
    }
}
