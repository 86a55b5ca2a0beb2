//! The bytes of one direction of a connection, and when each may pass: by delay, jitter and rate. The order stays, and nothing
//! is lost.

use std::collections::VecDeque;
use std::time::Duration;

/// The most bytes that are held for one direction of one connection.
const MOST_HELD: usize = 256 << 10;

/// The most that is read at once.
const PORTION: usize = 16 << 10;

/// A slow link passes its bytes in portions of so long.
const TICK: Duration = Duration::from_millis(10);

/// So many portions wait for their turn where the rate is bounded, beside those that are delayed.
const TICKS_AHEAD: u32 = 4;

/// What a direction of a link does to the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Condition {
    /// How long every byte is under way.
    pub delay: Duration,
    /// How much longer or shorter that may be.
    pub jitter: Duration,
    /// How many bytes pass each second at most.
    pub rate: Option<u64>,
    /// Whether nothing passes at all, while connections stay open.
    pub is_stopped: bool,
}

impl Condition {
    /// How many bytes pass in that time, at least one.
    fn passes(self, time: Duration) -> usize {
        match self.rate {
            None => usize::MAX,
            Some(rate) => ((rate as f64 * time.as_secs_f64()) as usize).max(1),
        }
    }

    /// How many bytes are held at most.
    fn most_held(self) -> usize {
        self.passes(self.delay + self.jitter + TICK * TICKS_AHEAD).min(MOST_HELD)
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Flow {
    bytes: VecDeque<u8>,
    /// When each portion of them may pass, and how many bytes it has; in the order of both.
    portions: VecDeque<(Duration, usize)>,
    /// When the rate lets the next byte begin.
    free: Duration,
    /// When the last byte so far may pass.
    last: Duration,
    /// When the end of the stream may pass, once it has come.
    end: Option<Duration>,
}

impl Flow {
    /// How many bytes are to be read next: zero while it is full.
    pub(super) fn room(&self, condition: Condition) -> usize {
        condition.most_held().saturating_sub(self.bytes.len()).min(condition.passes(TICK)).min(PORTION)
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }

    /// Takes what has come. `draw` is a number from -1 to 1, by which the jitter is chosen.
    pub(super) fn take(&mut self, bytes: &[u8], now: Duration, condition: Condition, draw: f64) {
        let begins = self.free.max(now);
        let lasts = condition.rate.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(bytes.len() as f64 / rate as f64).unwrap_or(Duration::MAX)
        });
        self.free = begins.saturating_add(lasts);
        let jitter = condition.jitter.mul_f64(draw.abs().min(1.0));
        let arrives = self.free.saturating_add(condition.delay);
        let arrives =
            if draw < 0.0 { arrives.saturating_sub(jitter) } else { arrives.saturating_add(jitter) };
        self.last = self.last.max(arrives).max(self.free);
        self.bytes.extend(bytes);
        self.portions.push_back((self.last, bytes.len()));
    }

    /// The sender has ended its stream. That passes behind all bytes.
    pub(super) fn end(&mut self, now: Duration, condition: Condition) {
        self.end = Some(self.last.max(now.saturating_add(condition.delay)));
    }

    /// Bytes that may pass now; not always all of them.
    pub(super) fn due(&self, now: Duration) -> &[u8] {
        let due = self.portions.iter().take_while(|(at, _)| *at <= now).map(|(_, length)| length).sum();
        let (front, _) = self.bytes.as_slices();
        &front[..front.len().min(due)]
    }

    /// So many of them have passed.
    pub(super) fn passed(&mut self, mut count: usize) {
        self.bytes.drain(..count);
        while let Some((_, length)) = self.portions.front_mut() {
            if *length > count {
                *length -= count;
                break;
            }
            count -= *length;
            self.portions.pop_front();
        }
    }

    /// Whether everything has passed, and the end of the stream may.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.bytes.is_empty() && self.end.is_some_and(|at| at <= now)
    }

    /// When something may pass next.
    pub(super) fn next(&self) -> Option<Duration> {
        self.portions.front().map(|(at, _)| *at).or(self.end)
    }

    /// The condition has changed: what is under way arrives now, so that nobody waits for what was asked of a link before.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.portions.iter_mut().for_each(|(at, _)| *at = now.min(*at));
        self.end = self.end.map(|at| now.min(at));
        (self.free, self.last) = (self.free.min(now), self.last.min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// What may pass at that moment.
    fn drain(flow: &mut Flow, now: Duration) -> Vec<u8> {
        let mut passed = Vec::new();
        while !flow.due(now).is_empty() {
            let due = flow.due(now).to_vec();
            flow.passed(due.len());
            passed.extend(due);
        }
        passed
    }

    #[test]
    fn a_delay_is_passed_before_a_byte_is() {
        let condition = Condition { delay: millis(50), ..Condition::default() };
        let mut flow = Flow::default();
        flow.take(b"one", millis(10), condition, 0.0);
        flow.end(millis(20), condition);
        assert_eq!((flow.next(), drain(&mut flow, millis(59))), (Some(millis(60)), Vec::new()));
        assert_eq!(drain(&mut flow, millis(60)), b"one");
        assert!(!flow.is_over(millis(69)) && flow.is_over(millis(70)));
    }

    #[test]
    fn a_rate_spreads_bytes_over_time_and_fills_no_memory() {
        let condition = Condition { rate: Some(1000), ..Condition::default() };
        let mut flow = Flow::default();
        let mut taken = 0;
        while flow.room(condition) > 0 {
            let portion = vec![0; flow.room(condition)];
            taken += portion.len();
            flow.take(&portion, Duration::ZERO, condition, 0.0);
        }
        assert_eq!(taken, 40, "four portions of ten milliseconds");
        assert_eq!(drain(&mut flow, millis(25)).len(), 20);
        assert!(
            flow.room(Condition { rate: Some(1), ..Condition::default() }) <= 1,
            "never less than a byte"
        );
    }

    #[test]
    fn what_is_under_way_arrives_when_the_condition_changes() {
        let slow = Condition { rate: Some(1), delay: Duration::from_secs(3600), ..Condition::default() };
        let mut flow = Flow::default();
        flow.take(b"late", Duration::ZERO, slow, 1.0);
        flow.hurry(millis(5));
        flow.take(b"r", millis(5), Condition::default(), 0.0);
        assert_eq!(drain(&mut flow, millis(5)), b"later");
    }

    proptest! {
        #[test]
        fn every_byte_passes_once_in_its_order_and_not_before_its_time(
            moves in prop::collection::vec(
                (1usize..600, 0u64..80, 0u64..60, 0u64..60, prop::option::of(1u64..100_000), -1.0f64..1.0, any::<bool>(), 1usize..400),
                1..60,
            )
        ) {
            let (mut flow, mut now) = (Flow::default(), Duration::ZERO);
            let (mut sent, mut passed) = (Vec::<u8>::new(), Vec::<u8>::new());
            // When each byte may pass at the earliest: its delay without all of its jitter.
            let mut earliest: Vec<Duration> = Vec::new();
            for (length, pause, delay, jitter, rate, draw, hurries, part) in moves {
                now += millis(pause);
                let condition = Condition { delay: millis(delay), jitter: millis(jitter), rate, is_stopped: false };
                if hurries {
                    flow.hurry(now);
                    earliest.iter_mut().for_each(|at| *at = now.min(*at));
                }
                let bytes: Vec<u8> = (0..length.min(flow.room(condition))).map(|at| (sent.len() + at) as u8).collect();
                if !bytes.is_empty() {
                    flow.take(&bytes, now, condition, draw);
                    sent.extend(&bytes);
                    let delayed = now + millis(delay.saturating_sub(jitter));
                    earliest.extend(bytes.iter().map(|_| delayed));
                }
                prop_assert!(flow.held() <= MOST_HELD);
                prop_assert_eq!(flow.held() + passed.len(), sent.len());
                let due = flow.due(now)[..flow.due(now).len().min(part)].to_vec();
                flow.passed(due.len());
                for byte in due {
                    prop_assert!(earliest[passed.len()] <= now, "byte {} passed too early", passed.len());
                    passed.push(byte);
                }
            }
            flow.end(now, Condition::default());
            while let Some(next) = flow.next().filter(|_| !flow.is_over(now)) {
                prop_assert!(next >= now || !flow.due(now).is_empty() || flow.held() == 0);
                now = now.max(next);
                passed.extend(drain(&mut flow, now));
            }
            prop_assert_eq!(passed, sent);
        }
    }
}
