//! How far the clocks of the other agents are from this one's, as the messages of the run show it. Pure.
//!
//! What a client of another agent had sent was received here later, and what was sent here was received there later: whatever the
//! server does, nothing arrives before it was due. So the quickest message of each direction bounds how far two clocks are apart,
//! mostly to the time that a message takes through the server. The broker may be much further away.

use std::time::Duration;

use super::clock::drift;
use crate::audit::Quickest;

/// What is told of a message comes so much later, or less. By then, clocks may have drifted apart by a little more.
const BEHIND: Duration = Duration::from_secs(10);

/// The least gap of one direction, and when it was seen.
type Least = Option<Quickest>;

/// How far one of them is.
#[derive(Clone, Copy, Debug, Default)]
struct Apart {
    /// Of what was sent there and received here.
    here: Least,
    /// Of what was sent here and received there.
    there: Least,
}

/// All of the others, by the order of all agents. Times are those of the run, as each agent knows them.
#[derive(Debug)]
pub(super) struct Nearness(Vec<Apart>);

impl Nearness {
    /// Of so many agents.
    pub(super) fn new(agents: usize) -> Nearness {
        Nearness(vec![Apart::default(); agents])
    }

    /// Messages of this agent's clients were received here.
    pub(super) fn see_here(&mut self, of: usize, gap: Quickest) {
        self.0.get_mut(of).into_iter().for_each(|apart| keep(&mut apart.here, gap));
    }

    /// Messages of clients here were received there.
    pub(super) fn see_there(&mut self, at: usize, gap: Quickest) {
        self.0.get_mut(at).into_iter().for_each(|apart| keep(&mut apart.there, gap));
    }

    /// The clock of one of them may have been set, or this one's: what was seen before says nothing any more.
    pub(super) fn forget(&mut self, of: usize) {
        self.0.get_mut(of).into_iter().for_each(|apart| *apart = Apart::default());
    }

    /// The same of all of them.
    pub(super) fn forget_all(&mut self) {
        self.0.fill(Apart::default());
    }

    /// Between which bounds lies what has to be added to times of that agent, in nanoseconds. `doubt`: how far the clocks may be
    /// apart without that. Where the messages contradict it, both may hold.
    pub(super) fn bounds(&self, of: usize, doubt: Duration, now: Duration) -> (i64, i64) {
        let doubt = i64::try_from(doubt.as_nanos()).unwrap_or(i64::MAX);
        let Apart { here, there } = self.0.get(of).copied().unwrap_or_default();
        let then = now + BEHIND;
        let low = there.map_or(-doubt, |gap| grown(gap, then).saturating_neg());
        let high = here.map_or(doubt, |gap| grown(gap, then));
        match low.max(-doubt) <= high.min(doubt) {
            true => (low.max(-doubt), high.min(doubt)),
            false => (low.min(high).min(-doubt), high.max(low).max(doubt)),
        }
    }
}

/// Keeps a gap if it says more than the one that is known.
fn keep(known: &mut Least, gap: Quickest) {
    if known.is_none_or(|known| gap.nanos <= grown(known, gap.at.into())) {
        *known = Some(gap);
    }
}

/// What a gap says at another time.
fn grown(gap: Quickest, now: Duration) -> i64 {
    gap.nanos.saturating_add(drift(now.abs_diff(gap.at.into())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000_000;

    fn at(nanos: i64) -> Duration {
        Duration::from_nanos(nanos.unsigned_abs())
    }

    proptest! {
        #[test]
        fn the_truth_is_never_outside_whatever_the_server_does(
            apart in -60 * MS..60 * MS,
            // Parts of a million.
            drift in -90i64..90,
            // Whose message, how long it takes, how much later that is known, and the pause before.
            messages in prop::collection::vec((any::<bool>(), 0..80 * MS, 0..9_000 * MS, 0..2_000 * MS), 1..200),
        ) {
            // By how much our clock is ahead of theirs.
            let ahead = |own: i64| apart + own / 1_000_000 * drift;
            let mut nearness = Nearness::new(2);
            let mut now = 100_000 * MS;
            for (is_ours, takes, later, pause) in messages {
                now += pause;
                let gap = match is_ours {
                    true => takes - ahead(now),
                    false => takes + ahead(now),
                };
                let gap = Quickest { nanos: gap, at: at(now).into() };
                match is_ours {
                    true => nearness.see_there(1, gap),
                    false => nearness.see_here(1, gap),
                }
                // The times of a message that was sent with this one, when that is told.
                let (low, high) = nearness.bounds(1, Duration::from_millis(200), at(now + later));
                let truth = ahead(now);
                prop_assert!((low..=high).contains(&truth), "{truth} is not in {low} to {high}");
            }
        }
    }

    #[test]
    fn two_quick_messages_say_more_than_a_broker_that_is_far_away() {
        let mut nearness = Nearness::new(3);
        let doubt = Duration::from_millis(60);
        assert_eq!(nearness.bounds(1, doubt, at(0)), (-60 * MS, 60 * MS));
        nearness.see_here(1, Quickest { nanos: 21 * MS, at: at(0).into() });
        nearness.see_here(1, Quickest { nanos: 40 * MS, at: at(0).into() });
        // There, it seems to be received before it was sent.
        nearness.see_there(1, Quickest { nanos: -19 * MS, at: at(0).into() });
        assert_eq!(nearness.bounds(1, doubt, at(0)), (18 * MS, 22 * MS));
        assert_eq!(nearness.bounds(2, doubt, at(0)), (-60 * MS, 60 * MS));
        // What was seen long ago says less, and what is seen then, more.
        assert_eq!(nearness.bounds(1, doubt, at(20_000 * MS)), (16 * MS, 24 * MS));
        nearness.see_here(1, Quickest { nanos: 22 * MS, at: at(20_000 * MS).into() });
        assert_eq!(nearness.bounds(1, doubt, at(20_000 * MS)), (16 * MS, 23 * MS));
    }

    #[test]
    fn where_messages_contradict_what_is_known_of_a_clock_both_hold() {
        let mut nearness = Nearness::new(2);
        nearness.see_here(1, Quickest { nanos: -99 * MS, at: at(0).into() });
        assert_eq!(nearness.bounds(1, Duration::from_millis(5), at(0)), (-98 * MS, 5 * MS));
        nearness.forget(1);
        assert_eq!(nearness.bounds(1, Duration::from_millis(5), at(0)), (-5 * MS, 5 * MS));
    }
}
