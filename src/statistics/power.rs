//! How small a difference a number of blocks can show, and how many it takes to show one.
//!
//! Calculated for Student's t on the logarithms of the ratios, with the relative efficiency of the test over signs.

use super::bootstrap::t;
use super::signs::least_p;

/// More blocks than anybody will play.
const MOST: usize = 10_000;

/// How many pairs t takes for each pair of the test over signs, which cuts off what is far out, if noise is normal: that of
/// Huber's estimate with a cut at one standard deviation.
const EFFICIENCY: f64 = 0.9;

/// What is demanded of an experiment with pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// The standard deviation of the differences from pair to pair.
    pub deviation: f64,
    /// The p-value from which on a difference is claimed, after any correction.
    pub level: f64,
    /// How often a difference that is there should be found: 0.9.
    pub power: f64,
}

impl Demand {
    /// How many pairs it takes to find a difference of this size. None if more than ten thousand.
    pub fn pairs_for(self, effect: f64) -> Option<usize> {
        // What can be detected only shrinks, so the first number that will do is searched by halves.
        let will_do = |pairs: usize| self.detectable(pairs) <= effect.abs();
        let (mut below, mut enough) = (1, MOST);
        if !will_do(MOST) {
            return None;
        }
        while enough - below > 1 {
            let middle = (below + enough) / 2;
            *(if will_do(middle) { &mut enough } else { &mut below }) = middle;
        }
        Some(enough)
    }

    /// The least difference that this number of pairs finds. Infinite if there are too few pairs to find any.
    pub fn detectable(self, pairs: usize) -> f64 {
        if pairs < 2 || least_p(pairs) > self.level {
            return f64::INFINITY;
        }
        let sum = t(1.0 - self.level / 2.0, pairs - 1) + t(self.power, pairs - 1);
        sum * self.deviation / (pairs as f64 * EFFICIENCY).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand = Demand { deviation: 0.05, level: 0.01, power: 0.9 };

    #[test]
    fn a_smaller_difference_takes_more_pairs() {
        let [large, small] = [0.2, 0.02].map(|effect| DEMAND.pairs_for(effect));
        assert!(large < small && large.is_some(), "{large:?} {small:?}");
        assert_eq!(DEMAND.pairs_for(0.0), None);
    }

    #[test]
    fn no_difference_is_large_enough_for_pairs_that_cannot_reach_the_level() {
        assert_eq!(DEMAND.detectable(7), f64::INFINITY);
        assert!(DEMAND.detectable(8) < 0.12);
        assert_eq!(DEMAND.pairs_for(100.0), Some(8));
    }
}
