//! What agents count, over a broker that loses, doubles and reorders.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::fleet::fits;
use super::link::{Inbox, Outbox};
use super::wire::{self, Offer, decode, encode};
use crate::measure::{Figures, Series, Taken};
use crate::observe::{Counter, Metric};

/// Carries all frames, said again until they are heard.
fn carry(seconds: &[Taken], mut chance: fastrand::Rng) -> Vec<Taken> {
    let (mut outbox, mut inbox) = (Outbox::new(1, 200), Inbox::default());
    let mut way: Vec<Bytes> = seconds.iter().flat_map(|second| outbox.say(&encode(second))).collect();
    let mut heard = Vec::new();
    while heard.len() < seconds.len() {
        chance.shuffle(&mut way);
        for frame in way.drain(..) {
            for _ in 0..chance.usize(0..3) {
                heard.extend(inbox.take(frame.clone()));
            }
        }
        outbox.heard(0, inbox.expects());
        way = outbox.again();
    }
    heard.iter().map(|second| decode(second).expect("it was encoded here")).collect()
}

#[test]
fn an_agent_of_another_version_is_refused_with_both_versions() {
    let offer = |version: String| Offer {
        id: "1".to_owned(),
        name: "old".to_owned(),
        labels: Vec::new(),
        version,
        workers: 1,
        files: 1024,
        is_busy: false,
    };
    assert_eq!(fits(&offer(wire::mark())), Ok(()));
    let why = fits(&offer("sockrates 0.0.9/1".to_owned())).expect_err("it is another version");
    assert!(why.contains("`sockrates 0.0.9/1`") && why.contains(&wire::mark()), "{why}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn figures_of_several_agents_are_those_of_all_values_whatever_happens_on_the_way(
        values in prop::collection::vec((0usize..4, 0usize..3, 0u64..300_000_000, any::<bool>()), 1..200),
        seed in any::<u64>(),
    ) {
        let mut whole = Figures::default();
        let mut agents: Vec<Vec<Figures>> = (0..4).map(|_| vec![Figures::default(); 3]).collect();
        for (agent, second, micros, is_measured) in values {
            for figures in [&mut whole, &mut agents[agent][second]] {
                figures.latency(Metric::Delivery, Duration::from_micros(micros), is_measured);
                figures.count(Counter::Received, 1, is_measured);
            }
        }
        let mut sum = Figures::default();
        for (number, seconds) in agents.iter_mut().enumerate() {
            let seconds: Vec<Taken> = seconds.iter_mut().map(Figures::take).collect();
            let chance = fastrand::Rng::with_seed(seed ^ number as u64);
            carry(&seconds, chance).iter().for_each(|second| sum.put(second));
        }
        let buckets = |figures: &Figures| -> Option<Vec<(Duration, u64)>> {
            figures.series(Metric::Delivery).map(|series| series.buckets().collect())
        };
        prop_assert_eq!(buckets(&sum), buckets(&whole));
        let exact = |series: Option<&Series>| series.map(|s| (s.count(), s.overflow(), s.mean(), s.min(), s.max()));
        prop_assert_eq!(exact(sum.series(Metric::Delivery)), exact(whole.series(Metric::Delivery)));
        for counted in [Figures::counter, Figures::ever] {
            prop_assert_eq!(counted(&sum, Counter::Received), counted(&whole, Counter::Received));
        }
    }
}
