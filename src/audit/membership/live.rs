//! How many seats are up: connected, and not asked to leave.

use std::collections::VecDeque;

use crate::audit::events::Moment;

/// So many changes are remembered.
const MOST_CHANGES: usize = 1 << 12;

/// How many seats were up at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Live {
    /// In the namespace in which a message is heard.
    pub(in crate::audit) here: u64,
    pub(in crate::audit) elsewhere: u64,
}

/// How many are up now, in all and by namespace, and when that changed last.
#[derive(Debug, Default)]
pub(super) struct LiveCounts {
    all: u64,
    by_namespace: Vec<u64>,
    /// When a seat of a namespace went up, or down.
    changes: VecDeque<(Moment, u32, bool)>,
}

impl LiveCounts {
    /// A seat of a namespace goes up, or down.
    pub(super) fn change(&mut self, at: Moment, namespace: u32, goes_up: bool) {
        let place = namespace as usize;
        if self.by_namespace.len() <= place {
            self.by_namespace.resize(place + 1, 0);
        }
        for count in [&mut self.all, &mut self.by_namespace[place]] {
            *count = if goes_up { *count + 1 } else { count.saturating_sub(1) };
        }
        if self.changes.len() == MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back((at, namespace, goes_up));
    }

    /// How many were up at a time. `namespace`: in which the message is heard, if any client ever was there.
    pub(super) fn at(&self, at: Moment, namespace: Option<u32>) -> Live {
        let here = namespace.and_then(|place| self.by_namespace.get(place as usize)).copied().unwrap_or(0);
        let mut live = Live { here, elsewhere: self.all - here };
        for (_, place, went_up) in self.changes.iter().rev().take_while(|(when, ..)| *when > at) {
            let count = if Some(*place) == namespace { &mut live.here } else { &mut live.elsewhere };
            *count = if *went_up { count.saturating_sub(1) } else { *count + 1 };
        }
        live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_how_many_were_up_in_a_namespace_and_elsewhere_before_the_last_changes() {
        let at = Moment::from_millis;
        let mut counts = LiveCounts::default();
        for (time, namespace, goes_up) in [(1, 0, true), (2, 1, true), (3, 0, true), (4, 0, false)] {
            counts.change(at(time), namespace, goes_up);
        }
        let live = |time, namespace| {
            let Live { here, elsewhere } = counts.at(at(time), namespace);
            (here, elsewhere)
        };
        assert_eq!([0, 1, 2, 3, 4].map(|time| live(time, Some(0))), [(0, 0), (1, 0), (1, 1), (2, 1), (1, 1)]);
        assert_eq!((live(3, Some(1)), live(3, Some(7)), live(3, None)), ((1, 2), (0, 3), (0, 3)));
    }
}
