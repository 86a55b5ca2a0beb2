//! Acknowledgements that were asked for and have not come.

use std::collections::VecDeque;

/// The largest number that a session remembers; older ones are forgotten.
const MOST: usize = 4096;

/// The number of answered ids that a session remembers, to tell a second answer from a stray one.
const MOST_ANSWERED: usize = 32;

/// The most ids above 2^64 that a session remembers. Only a rude scenario writes them.
const MOST_WRITTEN: usize = 64;

/// Up to here each whole number is a double.
const EXACT: u64 = 1 << 53;

/// Which acknowledgements are due. Ids count up over all namespaces and connections of a session.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    next: u64,
    /// Id and place of the namespace, oldest first.
    due: Vec<(u64, usize)>,
    /// Ids below it may have been forgotten: of these nothing can be said.
    forgotten: u64,
    /// Those that were answered last, newest last.
    answered: VecDeque<(u64, usize)>,
    /// Ids above 2^64 that a rude scenario wrote, by their digits, and the place of the namespace.
    written: Vec<(Box<str>, usize)>,
    /// How many events a rude scenario wrote that cannot be read, so that nobody knows under which id they are acknowledged.
    garbled: usize,
}

impl Outstanding {
    /// A new id for an event in this namespace.
    pub(super) fn ask(&mut self, namespace: usize) -> u64 {
        let id = self.next;
        self.next += 1;
        self.note(id, namespace);
        id
    }

    /// An id that a rude scenario wrote itself, by its digits.
    pub(super) fn note_written(&mut self, digits: &str, namespace: usize) {
        match digits.parse() {
            Ok(id) => self.note(id, namespace),
            Err(_) if self.written.len() < MOST_WRITTEN => self.written.push((digits.into(), namespace)),
            Err(_) => {}
        }
    }

    /// Takes the acknowledgement of an id above 2^64. Whether it was due.
    pub(super) fn settle_written(&mut self, digits: &str, namespace: Option<usize>) -> bool {
        let found =
            self.written.iter().position(|(due, place)| **due == *digits && Some(*place) == namespace);
        found.map(|found| self.written.remove(found)).is_some()
    }

    /// An event that a rude scenario wrote and that cannot be read.
    pub(super) fn note_garbled(&mut self) {
        self.garbled += 1;
    }

    /// Takes an acknowledgement of which nothing is known for that of an event that cannot be read. Whether there was one.
    pub(super) fn settle_garbled(&mut self) -> bool {
        let found = self.garbled > 0;
        self.garbled = self.garbled.saturating_sub(1);
        found
    }

    fn note(&mut self, id: u64, namespace: usize) {
        if self.due.len() == MOST {
            let (oldest, _) = self.due.remove(0);
            if oldest < self.next {
                self.forgotten = self.forgotten.max(oldest + 1);
            }
        }
        self.due.push((id, namespace));
    }

    /// Takes an acknowledgement. Whether it was due, as far as can be known. It may come under the double next to its id.
    pub(super) fn settle(&mut self, id: u64, namespace: Option<usize>) -> bool {
        let is_it = |due: u64| due == id || (due > EXACT && due as f64 == id as f64);
        match self.due.iter().position(|(due, place)| is_it(*due) && Some(*place) == namespace) {
            Some(found) => {
                if self.answered.len() == MOST_ANSWERED {
                    self.answered.pop_front();
                }
                self.answered.push_back(self.due.remove(found));
                true
            }
            None => id < self.forgotten,
        }
    }

    /// Whether an acknowledgement came before, as far as that is remembered.
    pub(super) fn was_answered(&self, id: u64, namespace: Option<usize>) -> bool {
        self.answered.iter().any(|(answered, place)| *answered == id && Some(*place) == namespace)
    }

    /// The connection is gone, and with it every acknowledgement.
    pub(super) fn clear(&mut self) {
        self.due.clear();
        self.answered.clear();
        self.forgotten = 0;
        self.written.clear();
        self.garbled = 0;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_double_holds_may_come_back_as_the_one_next_to_it() {
        let mut outstanding = Outstanding::default();
        outstanding.note_written("9007199254740993", 0);
        assert!(!outstanding.settle(9_007_199_254_740_990, Some(0)));
        assert!(outstanding.settle(9_007_199_254_740_992, Some(0)));
        outstanding.note_written("7", 0);
        assert!(!outstanding.settle(8, Some(0)));
    }
}
