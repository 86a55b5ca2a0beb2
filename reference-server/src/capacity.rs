//! How fast a server handles events, where its capacity is to be known.
//!
//! For tools that measure servers: whether a search for the highest load finds it can only be told where it is known. The
//! schedule is calculated from itself, not from when a timer fired, so that the rate is exact over any length of time.

use std::time::{Duration, Instant};

/// How fast events are handled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Capacity {
    /// So many a second, at once while there are no more: a bucket that holds one token.
    Rate(f64),
    /// One after another, each for as long as the Universal Scalability Law says for the clients that are connected:
    /// N of them are served λN / (1 + σ(N - 1) + κN(N - 1)) events a second. With σ = 1 and κ = 0 it is 1/λ for each event.
    Law {
        /// λ: events a second of a single client.
        lambda: f64,
        /// σ: contention.
        sigma: f64,
        /// κ: coherency.
        kappa: f64,
    },
}

impl Capacity {
    /// When an event is handled that arrives now, and when the next may be. `free` is when the server is.
    pub(crate) fn schedule(self, now: Instant, free: Instant, clients: usize) -> (Instant, Instant) {
        let begin = now.max(free);
        let apart = |per_second: f64| {
            Duration::try_from_secs_f64(per_second.recip()).unwrap_or(Duration::from_secs(3600))
        };
        match self {
            Capacity::Rate(rate) => (begin, begin + apart(rate)),
            Capacity::Law { lambda, sigma, kappa } => {
                let clients = clients.max(1) as f64;
                let slowing = 1.0 + sigma * (clients - 1.0) + kappa * clients * (clients - 1.0);
                let end = begin + apart(lambda * clients / slowing);
                (end, end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When events are handled that all arrive at once, in milliseconds.
    fn handled(capacity: Capacity, clients: usize) -> Vec<u128> {
        let start = Instant::now();
        let mut free = start;
        (0..4)
            .map(|_| {
                let (due, next) = capacity.schedule(start, free, clients);
                free = next;
                (due - start).as_millis()
            })
            .collect()
    }

    #[test]
    fn the_first_event_takes_the_token_and_the_others_wait_for_theirs() {
        assert_eq!(handled(Capacity::Rate(100.0), 1), [0, 10, 20, 30]);
    }

    #[test]
    fn tokens_are_not_saved_up() {
        let start = Instant::now();
        let later = start + Duration::from_secs(9);
        let (due, free) = Capacity::Rate(100.0).schedule(later, start, 1);
        assert_eq!((due - start, free - start), (Duration::from_secs(9), Duration::from_millis(9010)));
    }

    #[test]
    fn by_the_law_an_event_takes_its_time_and_the_time_depends_on_the_clients() {
        let law = Capacity::Law { lambda: 100.0, sigma: 1.0, kappa: 0.0 };
        assert_eq!(handled(law, 1), [10, 20, 30, 40]);
        assert_eq!(handled(law, 50), [10, 20, 30, 40]);
        let crowded = Capacity::Law { lambda: 100.0, sigma: 0.0, kappa: 0.01 };
        // 101 clients: 100 * 101 / (1 + 0.01 * 101 * 100) = 99 a second; 1001 of them: 10.
        assert_eq!(handled(crowded, 101), [10, 20, 30, 40]);
        assert_eq!(handled(crowded, 1001), [100, 200, 300, 400]);
    }

    #[test]
    fn a_law_without_throughput_waits_long_but_not_for_ever() {
        let never = Capacity::Law { lambda: 1e-300, sigma: 0.0, kappa: 0.0 };
        assert_eq!(handled(never, 1)[0], 3_600_000);
    }
}
