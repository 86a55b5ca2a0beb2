//! Whether pairs differ: the signed-rank test over all assignments of signs, and Holm's correction for several of them.
//!
//! If two servers are alike, which of a pair came out slower was a throw of a coin, whatever the noise looks like. So the
//! signs of the differences are thrown anew, all ways or ten thousand of them, and the p-value is how often that looks at
//! least as lopsided as what was seen. Ranks in the place of sizes, so that one disturbed block cannot hide or make a
//! difference (Wilcoxon 1945).

/// Up to so many pairs, every assignment of signs is tried.
const ALL_UP_TO: usize = 14;
/// Beyond, so many are drawn.
const DRAWN: u32 = 20_000;

/// The probability that differences at least as one-sided as these come about where there is none, on either side. 1 if
/// none of them is other than zero.
pub fn p_value(differences: &[f64], seed: u64) -> f64 {
    let differences: Vec<f64> = differences.iter().copied().filter(|value| *value != 0.0).collect();
    let ranks = ranks(&differences);
    let count = ranks.len();
    let sum = |negative: &dyn Fn(usize) -> bool| -> f64 {
        ranks.iter().enumerate().map(|(at, rank)| if negative(at) { -rank } else { *rank }).sum()
    };
    // Ranks are multiples of a half, so sums are exact.
    let seen = sum(&|at| differences[at] < 0.0).abs();
    if count <= ALL_UP_TO {
        let all = 1_u32 << count;
        let extreme = (0..all).filter(|signs| sum(&|at| signs >> at & 1 == 1).abs() >= seen).count();
        return extreme as f64 / f64::from(all);
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let extreme = (0..DRAWN)
        .filter(|_| {
            let signs: Vec<bool> = (0..count).map(|_| random.bool()).collect();
            sum(&|at| signs[at]).abs() >= seen
        })
        .count();
    // What was seen is one of the possible assignments, so that no p-value is nothing.
    (extreme + 1) as f64 / f64::from(DRAWN + 1)
}

/// The least p-value that so many pairs can reach: all on one side.
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

/// The rank of each value by its size without the sign, from 1; equal ones share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sizes
        .iter()
        .map(|size| {
            let below = sizes.iter().filter(|other| *other < size).count();
            let equal = sizes.iter().filter(|other| *other == size).count();
            below as f64 + (equal + 1) as f64 / 2.0
        })
        .collect()
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
        assert!(p_value(&small, 1) < 0.1, "{}", p_value(&small, 1));
        assert!(p_value(&[0.01, -0.02, 0.03, -0.015, 0.005, -0.008, 90.0], 1) > 0.3);
    }

    #[test]
    fn many_pairs_are_drawn_and_agree_with_the_normal_approximation() {
        let values: Vec<f64> = (1..=30).map(|n| f64::from(n) * if n % 3 == 0 { -1.0 } else { 1.0 }).collect();
        // W+ = 300 of 465; z = (300 - 232.5) / sqrt(30 * 31 * 61 / 24) = 1.388.
        assert!((p_value(&values, 5) - 0.165).abs() < 0.015, "{}", p_value(&values, 5));
    }
}
