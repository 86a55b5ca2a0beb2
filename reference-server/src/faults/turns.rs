//! How often a fault that shows now and then could have shown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Fault;

/// A count for each fault that needs one.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    counts: RefCell<BTreeMap<Fault, u64>>,
}

impl Turns {
    /// The number of this turn of a fault, from 0.
    pub(crate) fn next(&self, fault: Fault) -> u64 {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(fault).or_default();
        *count += 1;
        *count - 1
    }

    /// Whether this turn is the one of so many in which the fault shows.
    pub(crate) fn is_due(&self, fault: Fault, one_in: u64) -> bool {
        (self.next(fault) + 1) % one_in == one_in / 2
    }

    /// What [`Turns::is_due`] allowed did not happen: the next turn is due instead.
    pub(crate) fn again(&self, fault: Fault, one_in: u64) {
        self.counts.borrow_mut().insert(fault, one_in / 2 - 1);
    }
}
