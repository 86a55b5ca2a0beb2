//! Where a row of values changes its level: the points that divide it into stretches of one level each.
//!
//! The values are ranked, so that no single value makes a change, however large it is. Then the stretch is taken whose mean rank
//! differs most from that of all others (circular binary segmentation: Olshen et al., Biostatistics 5, 2004, with the ranks of
//! Pettitt, Applied Statistics 28, 1979), standardised so that every stretch has the same chance. It may lie in the middle: a step that is taken back would not be seen by a single cut. How often chance does as well is seen by
//! shuffling the values. Each part is divided again until none shows a change.

/// Fewer values than this on a side are no level.
pub const FEWEST: usize = 4;
/// So many orders are drawn, so that no p-value is below 0.0005.
const DRAWN: u32 = 2000;

/// A point at which the level changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The place of the first value of the new level.
    pub at: usize,
    /// How often values without a change would look so much like one.
    pub p: f64,
}

/// The changes of a row of values, in their order, each with a p-value of at most `level`. The values may not be NaN.
pub fn changes(values: &[f64], level: f64, seed: u64) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut parts = vec![(0, values.len())];
    while let Some((from, to)) = parts.pop() {
        let here = change(&values[from..to], level, &mut random);
        let places: Vec<usize> = here.iter().map(|change| from + change.at).collect();
        found.extend(here.iter().zip(&places).map(|(change, at)| Change { at: *at, ..*change }));
        if let (Some(first), Some(last)) = (places.first(), places.last()) {
            parts.extend([(from, *first), (*last, to)]);
            parts.extend((first < last).then_some((*first, *last)));
        }
    }
    found.sort_unstable_by_key(|change| change.at);
    found
}

/// The ends of the stretch that differs most, as far as they are changes: at most two.
fn change(values: &[f64], level: f64, random: &mut fastrand::Rng) -> Vec<Change> {
    let ranks = ranks(values);
    let Some((from, to, seen)) = greatest(&ranks) else { return Vec::new() };
    let as_great = |ranks: &[f64]| greatest(ranks).is_some_and(|(.., drawn)| drawn >= seen - 1e-9);
    let Some(p) = p_value(ranks, level, random, as_great) else { return Vec::new() };
    // Each end has to show by itself, between its two neighbours.
    let sides = [(0, from, to), (from, to, values.len())];
    let is_step = |(begin, at, end): &(usize, usize, usize)| {
        let ranks = self::ranks(&values[*begin..*end]);
        let cut = at - begin;
        let seen = score(&ranks, 0, cut);
        p_value(ranks, level, random, |ranks| score(ranks, 0, cut) >= seen - 1e-9).is_some()
    };
    let inner = sides.into_iter().filter(|(_, at, _)| (FEWEST..=values.len() - FEWEST).contains(at));
    inner.filter(is_step).map(|(_, at, _)| Change { at, p }).collect()
}

/// How often an order of the ranks is as extreme as what was seen. None if that is oftener than `level`.
fn p_value(
    mut ranks: Vec<f64>,
    level: f64,
    random: &mut fastrand::Rng,
    is_as_extreme: impl Fn(&[f64]) -> bool,
) -> Option<f64> {
    let most = level * f64::from(DRAWN + 1);
    let mut extreme = 1_u32;
    for _ in 0..DRAWN {
        random.shuffle(&mut ranks);
        extreme += u32::from(is_as_extreme(&ranks));
        if f64::from(extreme) > most {
            return None;
        }
    }
    Some(f64::from(extreme) / f64::from(DRAWN + 1))
}

/// The ranks of the values, from 1; those of equal values are their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let below = order.partition_point(|place| values[*place] < values[same[0]]);
        let rank = below as f64 + (same.len() + 1) as f64 / 2.0;
        same.iter().for_each(|place| ranks[*place] = rank);
    }
    ranks
}

/// The stretch whose mean rank differs most from that of all others, and by how much in standard deviations. It ends where the
/// row ends or leaves enough values beside it. None of too few values.
fn greatest(ranks: &[f64]) -> Option<(usize, usize, f64)> {
    let count = ranks.len();
    if count < 2 * FEWEST {
        return None;
    }
    let mut sums = Vec::with_capacity(count + 1);
    sums.push(0.0);
    ranks.iter().for_each(|rank| sums.push(sums[sums.len() - 1] + rank));
    let is_end = |place: &usize| *place == 0 || *place == count || (FEWEST..=count - FEWEST).contains(place);
    let mut best: Option<(usize, usize, f64)> = None;
    for from in (0..count).filter(is_end) {
        for to in (from + FEWEST..=count).filter(is_end) {
            if count - (to - from) < FEWEST {
                continue;
            }
            let score = standardised(sums[to] - sums[from], to - from, count);
            if best.is_none_or(|(.., best)| score > best) {
                best = Some((from, to, score));
            }
        }
    }
    best
}

/// By how many standard deviations the mean rank of a stretch differs from that of all others.
fn score(ranks: &[f64], from: usize, to: usize) -> f64 {
    standardised(ranks[from..to].iter().sum(), to - from, ranks.len())
}

/// The same, of the sum of `n` of all `count` ranks.
fn standardised(sum: f64, n: usize, count: usize) -> f64 {
    let (n, m) = (n as f64, (count - n) as f64);
    let expected = n * (n + m + 1.0) / 2.0;
    (sum - expected).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..count).map(|_| 100.0 * (1.0 + 0.05 * (random.f64() - 0.5))).collect()
    }

    fn places(values: &[f64]) -> Vec<usize> {
        changes(values, 0.01, 7).iter().map(|change| change.at).collect()
    }

    #[test]
    fn a_step_is_found_at_its_place_and_a_step_back_too() {
        let mut values = noise(40, 1);
        values[15..30].iter_mut().for_each(|value| *value *= 1.2);
        assert_eq!(places(&values), [15, 30]);
    }

    #[test]
    fn values_without_a_step_have_a_change_as_seldom_as_the_level_says() {
        let found = (0..200).filter(|seed| !places(&noise(30, *seed)).is_empty()).count();
        // 2 are expected; more than 8 come about once in five thousand times.
        assert!(found <= 8, "{found} of 200");
    }

    #[test]
    fn one_outlier_is_no_change_and_few_values_have_none() {
        let mut values = noise(30, 3);
        values[20] *= 1000.0;
        assert_eq!(places(&values), [0; 0]);
        assert_eq!(places(&[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]), [0; 0]);
        assert_eq!(places(&[]), [0; 0]);
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 3.0]), [2.5, 1.0, 2.5, 4.0]);
        assert_eq!(places(&[1.0; 30]), [0; 0]);
        assert_eq!(places(&[[1.0; 10], [2.0; 10]].concat()), [10]);
    }
}
