//! Whether pairs differ: a test over all assignments of signs, and Holm's correction for several of them.
//!
//! If two servers are alike, which of a pair came out slower was a throw of a coin, whatever the noise looks like. So the
//! signs of the differences are thrown anew, all ways, and the p-value is how often that looks at least as lopsided as what
//! was seen (Fisher 1935). What is summed is cut off at `CLIP` times the median size (Huber 1964), so that one disturbed
//! block can neither hide nor make a difference; because the cut does not depend on the signs, the test stays exact.

use super::median;

/// Differences count at most this many times their median size: about one standard deviation, if they are normal.
const CLIP: f64 = 1.5;
/// Up to this number of pairs, every assignment of signs is counted.
const ALL_UP_TO: usize = 32;
/// For more pairs, this number of assignments is drawn.
const DRAWN: u32 = 20_000;

/// The probability that differences at least as one-sided as these come about where there is none, on either side. 1 if
/// none of them is other than zero.
pub fn p_value(differences: &[f64], seed: u64) -> f64 {
    let differences: Vec<f64> = differences.iter().copied().filter(|value| *value != 0.0).collect();
    let sizes: Vec<f64> = differences.iter().map(|value| value.abs()).collect();
    let Some(middle) = median(&sizes) else { return 1.0 };
    let sizes: Vec<f64> = sizes.iter().map(|size| size.min(CLIP * middle)).collect();
    let signed: f64 = sizes.iter().zip(&differences).map(|(size, value)| size.copysign(*value)).sum();
    // Sums in another order differ in their last digits.
    let seen = signed.abs() - 1e-9 * sizes.iter().sum::<f64>();
    if sizes.len() <= ALL_UP_TO { counted(&sizes, seen) } else { drawn(&sizes, seen, seed) }
}

/// The share of all assignments of signs whose sum is at least so large. Those of the one half are looked up in those of
/// the other, so that thirty pairs are tens of thousands of sums, not thousands of millions.
fn counted(sizes: &[f64], seen: f64) -> f64 {
    let (one, other) = sizes.split_at(sizes.len() / 2);
    let (one, mut other) = (sums(one), sums(other));
    other.sort_unstable_by(f64::total_cmp);
    let extreme: usize = one
        .iter()
        .map(|sum| {
            let below = other.partition_point(|with| sum + with <= -seen);
            let short = other.partition_point(|with| sum + with < seen);
            below + (other.len() - short.max(below))
        })
        .sum();
    extreme as f64 / (one.len() * other.len()) as f64
}

/// The sums of all assignments of signs.
fn sums(sizes: &[f64]) -> Vec<f64> {
    sizes.iter().fold(vec![0.0], |sums, size| sums.iter().flat_map(|sum| [sum - size, sum + size]).collect())
}

/// The same, of some assignments. What was seen is one of those that are possible, so that no p-value is nothing.
fn drawn(sizes: &[f64], seen: f64, seed: u64) -> f64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sum = || sizes.iter().map(|size| if random.bool() { *size } else { -size }).sum::<f64>();
    let extreme = (0..DRAWN).filter(|_| sum().abs() >= seen).count();
    (extreme + 1) as f64 / f64::from(DRAWN + 1)
}

/// The least p-value that this number of pairs can reach: all on one side.
pub fn least_p(pairs: usize) -> f64 {
    2.0 / 2.0_f64.powi(i32::try_from(pairs).unwrap_or(i32::MAX))
}

/// Holm's step-down correction: p-values such that claiming what lies below a level makes one false claim or more in at
/// most that share of the cases, however many claims were tried.
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut corrected = vec![1.0; values.len()];
    let mut least: f64 = 0.0;
    for (rank, at) in order.into_iter().enumerate() {
        least = least.max(values[at] * (values.len() - rank) as f64).min(1.0);
        corrected[at] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_do_not_differ_prove_nothing() {
        assert_eq!(p_value(&[], 1), 1.0);
        assert_eq!(p_value(&[0.0; 8], 1), 1.0);
    }

    #[test]
    fn ten_blocks_on_one_side_are_as_sure_as_ten_blocks_can_be() {
        let all: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(p_value(&all, 1), least_p(10));
        assert!((least_p(10) - 2.0 / 1024.0).abs() < 1e-12);
    }

    #[test]
    fn one_wild_block_neither_hides_nor_makes_a_difference() {
        let mut small: Vec<f64> = (1..=9).map(|n| 0.1 + f64::from(n) * 0.001).collect();
        small.push(-50.0);
        assert!(p_value(&small, 1) < 0.03, "{}", p_value(&small, 1));
        assert!(p_value(&[0.01, -0.02, 0.03, -0.015, 0.005, -0.008, 90.0], 1) > 0.3);
    }

    #[test]
    fn counting_and_drawing_agree() {
        let sizes: Vec<f64> = (1..=20).map(|n| f64::from(n % 7) + 0.5).collect();
        for seen in [10.0, 20.0, 30.0] {
            let (counted, drawn) = (counted(&sizes, seen), drawn(&sizes, seen, 5));
            assert!((counted - drawn).abs() < 0.015, "{counted} {drawn}");
        }
        assert_eq!(counted(&sizes, 0.0), 1.0);
        assert!(p_value(&(1..40).map(f64::from).collect::<Vec<_>>(), 1) < 0.001);
    }
}
