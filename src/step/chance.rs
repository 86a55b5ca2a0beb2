//! Chance that depends on the seed and on what it is for, and on nothing that happens while a run goes on: so the same
//! seed gives the same schedule, whatever the server does and however many workers there are.

/// What a stream is for: the numbers that a client draws in its steps.
pub(super) const CLIENT: u64 = 0;

/// When the clients of a group arrive.
pub(super) const ARRIVALS: u64 = 1;

/// When the rounds of a client are due.
pub(super) const ROUNDS: u64 = 2;

/// The ids of the traces that a client begins.
pub(super) const TRACES: u64 = 3;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Chance(fastrand::Rng);

impl Chance {
    /// The stream for something, which is told by numbers: what for, of which client, at which step.
    pub(super) fn of(seed: u64, what: &[u64]) -> Chance {
        let mixed = what.iter().fold(mix(seed), |mixed, number| mix(mixed ^ number));
        Chance(fastrand::Rng::with_seed(mixed))
    }

    /// A number from 0 to below 1, each as likely.
    pub(super) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// A whole number below this one, each as likely.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(0..bound.max(1))
    }

    /// The header `traceparent` of a trace that begins with a span of ours and is recorded.
    ///
    /// Spec: W3C Trace Context, section 3.2. Neither id is zero.
    pub(super) fn traceparent(&mut self) -> String {
        let mut id = || self.0.u64(1..);
        format!("00-{:016x}{:016x}-{:016x}-01", id(), id(), id())
    }

    /// The distance between two of things that happen independently of each other, once in a unit of time.
    pub(super) fn exponential(&mut self) -> f64 {
        // From 1 down to above 0, of which there is a logarithm.
        -(1.0 - self.0.f64()).ln()
    }
}

/// A number in which each bit depends on each bit of this one: the finalizer of SplitMix64, by Steele, Lea and Flood.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_things_have_the_same_chance_and_others_have_another() {
        let first = |seed, what: &[u64]| Chance::of(seed, what).share();
        assert_eq!(first(1, &[2, 3]), first(1, &[2, 3]));
        let others = [first(1, &[3, 2]), first(2, &[2, 3]), first(1, &[2, 4]), first(1, &[2])];
        assert!(others.iter().all(|other| *other != first(1, &[2, 3])), "{others:?}");
    }

    #[test]
    fn trace_contexts_are_as_the_specification_has_them_and_none_comes_twice() {
        let mut chance = Chance::of(1, &[TRACES]);
        let all: std::collections::BTreeSet<String> = (0..1_000).map(|_| chance.traceparent()).collect();
        assert_eq!(all.len(), 1_000);
        for one in &all {
            let parts: Vec<&str> = one.split('-').collect();
            let [version, trace, span, flags] = parts[..] else { panic!("{one}") };
            assert_eq!((version, trace.len(), span.len(), flags), ("00", 32, 16, "01"), "{one}");
            let is_id = |id: &str| id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            assert!(
                is_id(trace)
                    && is_id(span)
                    && [trace, span].iter().all(|id| !id.trim_matches('0').is_empty())
            );
        }
    }

    #[test]
    fn distances_by_chance_are_a_unit_on_average() {
        let mut chance = Chance::of(1, &[]);
        let many: Vec<f64> = (0..20_000).map(|_| chance.exponential()).collect();
        let mean = many.iter().sum::<f64>() / many.len() as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        // Of an exponential distribution, 1/e lies beyond the mean.
        let beyond = many.iter().filter(|value| **value > 1.0).count() as f64 / many.len() as f64;
        assert!((beyond - (-1.0f64).exp()).abs() < 0.02, "{beyond}");
    }
}
