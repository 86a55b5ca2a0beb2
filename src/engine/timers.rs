//! When each client has to be called again. Pure.
//!
//! Most wishes are overtaken long before their time: the patience of an acknowledgement that comes at once, the next ping
//! that is overdue. So what is not close lies unsorted in the slots of a wheel, where it costs next to nothing, and is
//! only sorted when its slot comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// How long a slot is, as a power of two of nanoseconds: some 17 ms.
const SLOT_BITS: u32 = 24;

/// How many slots there are: a turn of the wheel is more than a minute. What is further away stays for another turn.
const SLOTS: u64 = 4096;

/// No client has to be called.
const NEVER: u64 = u64::MAX;

/// Wake-ups of many clients. Each has at most one that counts; those that were put off are passed over.
#[derive(Debug)]
pub(super) struct Timers {
    start: Instant,
    /// For each client, when it is to be woken, in nanoseconds since the start.
    armed: Vec<u64>,
    /// What comes before the horizon, sorted.
    near: BinaryHeap<Reverse<(u64, u32)>>,
    /// What comes after, by slot.
    wheel: Vec<Vec<(u64, u32)>>,
    /// How much there is in the wheel.
    far: usize,
    /// The first slot that is not sorted.
    horizon: u64,
}

impl Timers {
    pub(super) fn new(clients: usize, start: Instant) -> Timers {
        Timers {
            start,
            armed: vec![NEVER; clients],
            near: BinaryHeap::new(),
            wheel: vec![Vec::new(); SLOTS as usize],
            far: 0,
            horizon: 0,
        }
    }

    /// A client wants to be woken at that time. Only an earlier time than the one that is set needs work: a
    /// later one is looked up again when the set one is reached.
    pub(super) fn want(&mut self, client: u32, wake: Option<Instant>) {
        let Some(wake) = wake else { return };
        let wake = self.since_start(wake);
        let armed = &mut self.armed[client as usize];
        if wake < *armed {
            *armed = wake;
            let slot = wake >> SLOT_BITS;
            if slot < self.horizon {
                self.near.push(Reverse((wake, client)));
            } else {
                self.wheel[(slot % SLOTS) as usize].push((wake, client));
                self.far += 1;
            }
        }
    }

    /// The next client whose time has come.
    pub(super) fn due(&mut self, now: Instant) -> Option<u32> {
        let now = self.since_start(now);
        let client = self.first().filter(|(wake, _)| *wake <= now)?.1;
        self.near.pop();
        self.armed[client as usize] = NEVER;
        Some(client)
    }

    /// When the next client wants to be woken. Wake-ups that were overtaken by an earlier one are dropped on the way, so
    /// that no client is called for them.
    pub(super) fn next(&mut self) -> Option<Instant> {
        let (wake, _) = self.first()?;
        Some(self.start + Duration::from_nanos(wake))
    }

    fn first(&mut self) -> Option<(u64, u32)> {
        loop {
            while let Some(Reverse((wake, client))) = self.near.peek().copied() {
                if self.armed[client as usize] == wake {
                    return Some((wake, client));
                }
                self.near.pop();
            }
            if self.far == 0 {
                return None;
            }
            self.sort_a_slot();
        }
    }

    fn sort_a_slot(&mut self) {
        let slot = self.horizon;
        self.horizon += 1;
        let all = &mut self.wheel[(slot % SLOTS) as usize];
        let (near, armed, before) = (&mut self.near, &self.armed, all.len());
        all.retain(|(wake, client)| {
            let counts = armed[*client as usize] == *wake;
            if counts && wake >> SLOT_BITS == slot {
                near.push(Reverse((*wake, *client)));
                return false;
            }
            counts
        });
        self.far -= before - all.len();
        // Or each of the slots would keep room for the most that it ever held, turn by turn some more.
        all.shrink_to_fit();
    }

    fn since_start(&self, time: Instant) -> u64 {
        // Five centuries are enough.
        time.saturating_duration_since(self.start).as_nanos() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_woken_in_the_order_of_their_times_and_once() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new(3, start);
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
        let mut timers = Timers::new(1, start);
        timers.want(0, Some(at(50)));
        timers.want(0, Some(at(10)));
        assert_eq!(timers.due(at(10)), Some(0));
        assert_eq!(timers.next(), None);
        timers.want(0, Some(at(60)));
        assert_eq!(timers.next(), Some(at(60)));
    }

    #[test]
    fn nobody_is_woken_early_or_late_however_far_away_the_time_is() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let times = [70_000, 3, 200_000, 17, 68_719, 0, 68_720, 18, 40_000];
        let mut timers = Timers::new(times.len(), start);
        for (client, time) in (0..).zip(times) {
            timers.want(client, Some(at(time)));
        }
        let mut order: Vec<u64> = times.to_vec();
        order.sort_unstable();
        for time in order {
            assert_eq!(timers.next(), Some(at(time)));
            if time > 0 {
                assert_eq!(timers.due(at(time - 1)), None);
            }
            let client = timers.due(at(time)).expect("somebody is due");
            assert_eq!(times[client as usize], time);
            // A wish while others wait is no later for it.
            timers.want(client, Some(at(time + 1)));
            assert_eq!(timers.due(at(time + 1)), Some(client));
        }
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_slot_that_is_over_keeps_no_room_for_what_it_held() {
        let start = Instant::now();
        let mut timers = Timers::new(1000, start);
        for client in 0..1000 {
            timers.want(client, Some(start + Duration::from_secs(1 + u64::from(client % 10))));
        }
        while timers.due(start + Duration::from_secs(11)).is_some() {}
        assert_eq!(timers.wheel.iter().map(Vec::capacity).sum::<usize>(), 0);
    }

    #[test]
    fn a_later_wish_does_not_move_an_earlier_one() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut timers = Timers::new(1, start);
        timers.want(0, Some(at(10)));
        timers.want(0, Some(at(50)));
        assert_eq!(timers.due(at(10)), Some(0));
        timers.want(0, Some(at(50)));
        assert_eq!(timers.due(at(49)), None);
        assert_eq!(timers.due(at(50)), Some(0));
    }
}
