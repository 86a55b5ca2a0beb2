//! When each client wants to be told the time. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Wake-ups of many clients. Each has at most one that counts; those that were put off are passed over.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u32)>>,
    armed: Vec<Option<Instant>>,
}

impl Timers {
    pub(super) fn new(clients: usize) -> Timers {
        Timers { heap: BinaryHeap::new(), armed: vec![None; clients] }
    }

    /// A client wants to be woken at that time. Only an earlier time than the one that is set needs work: a
    /// later one is looked up again when the set one is reached.
    pub(super) fn want(&mut self, client: u32, wake: Option<Instant>) {
        let Some(wake) = wake else { return };
        let armed = &mut self.armed[client as usize];
        if armed.is_none_or(|armed| wake < armed) {
            *armed = Some(wake);
            self.heap.push(Reverse((wake, client)));
        }
    }

    /// The next client whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<u32> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, client)) = self.heap.pop()?;
        self.armed[client as usize] = None;
        Some(client)
    }

    /// When the next client wants to be woken. Wake-ups that were overtaken by an earlier one are dropped on the way, so
    /// that nobody is woken for them.
    pub(super) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((wake, client))) = self.heap.peek() {
            if self.armed[*client as usize] == Some(*wake) {
                return Some(*wake);
            }
            self.heap.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn clients_are_woken_in_the_order_of_their_times_and_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new(3);
        timers.want(0, Some(at(30)));
        timers.want(1, Some(at(10)));
        timers.want(0, Some(at(20)));
        timers.want(2, None);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(9)), None);
        assert_eq!(timers.due(at(40)), Some(1));
        assert_eq!(timers.due(at(40)), Some(0));
        assert_eq!(timers.due(at(40)), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn nobody_is_woken_for_a_wish_that_an_earlier_one_overtook() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new(1);
        timers.want(0, Some(at(50)));
        timers.want(0, Some(at(10)));
        assert_eq!(timers.due(at(10)), Some(0));
        assert_eq!(timers.next(), None);
        timers.want(0, Some(at(60)));
        assert_eq!(timers.next(), Some(at(60)));
    }

    #[test]
    fn a_later_wish_does_not_move_an_earlier_one() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new(1);
        timers.want(0, Some(at(10)));
        timers.want(0, Some(at(50)));
        assert_eq!(timers.due(at(10)), Some(0));
        timers.want(0, Some(at(50)));
        assert_eq!(timers.due(at(49)), None);
        assert_eq!(timers.due(at(50)), Some(0));
    }
}
