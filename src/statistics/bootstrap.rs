//! Intervals by drawing again from what was measured.
//!
//! The percentile bootstrap is too narrow for few values: it divides by n where the variance of a sample has n - 1, and
//! knows nothing of t. So its percentiles are moved outwards as Hesterberg proposes ("What Teachers Should Know About the
//! Bootstrap", The American Statistician 69, 2015, "expanded percentile interval"): for ten values the 2.5 % become 0.9 %.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::sample::quantile_of_sorted;

/// From one value to another.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in it.
    pub fn holds(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// How an interval is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How often the values are drawn again.
    pub rounds: u32,
    /// How often such an interval should hold the truth: 0.95.
    pub confidence: f64,
    /// The seed of the drawing.
    pub seed: u64,
}

impl Bootstrap {
    /// 95 %, of two thousand drawings.
    pub fn new(seed: u64) -> Self {
        Self { rounds: 2000, confidence: 0.95, seed }
    }

    /// The interval of a figure that is made of some of `count` things: `figure` gets which of them were drawn, as many as
    /// there are, some of them again. Pairs stay pairs when the things are pairs. None of fewer than two things, or where
    /// the figure cannot be told.
    pub fn interval(self, count: usize, mut figure: impl FnMut(&[usize]) -> Option<f64>) -> Option<Interval> {
        let freedom = count.checked_sub(1).filter(|freedom| *freedom > 0)?;
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut drawn = vec![0; count];
        let mut figures = Vec::with_capacity(self.rounds as usize);
        for _ in 0..self.rounds {
            drawn.iter_mut().for_each(|place| *place = random.usize(..count));
            figures.extend(figure(&drawn));
        }
        let wider = (count as f64 / freedom as f64).sqrt();
        self.between(figures, freedom, wider)
    }

    /// The same for the median of values, faster: how often each was drawn is counted, and nothing sorted.
    pub fn interval_of_median(self, values: &[f64]) -> Option<Interval> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut times = vec![0_usize; sorted.len()];
        let (lower, upper) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        self.interval(sorted.len(), |drawn| {
            times.fill(0);
            drawn.iter().for_each(|place| times[*place] += 1);
            let at = |wanted: usize| {
                let mut seen = 0;
                times.iter().position(|times| {
                    seen += times;
                    seen > wanted
                })
            };
            Some(f64::midpoint(sorted[at(lower)?], sorted[at(upper)?]))
        })
    }

    /// The same for a figure that is made of two kinds of things, each drawn by itself. None where there are fewer than two of
    /// either.
    pub fn interval_of_two(
        self,
        one: &[f64],
        other: &[f64],
        mut figure: impl FnMut(&[f64], &[f64]) -> Option<f64>,
    ) -> Option<Interval> {
        let fewer = one.len().min(other.len());
        let freedom = fewer.checked_sub(1).filter(|freedom| *freedom > 0)?;
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut draw = |values: &[f64]| -> Vec<f64> {
            values.iter().map(|_| values[random.usize(..values.len())]).collect()
        };
        let figures: Vec<f64> = (0..self.rounds)
            .filter_map(|_| {
                let (one, other) = (draw(one), draw(other));
                figure(&one, &other)
            })
            .collect();
        self.between(figures, freedom, (fewer as f64 / freedom as f64).sqrt())
    }

    /// The interval that figures of drawings span, widened for so many degrees of freedom and by a factor beyond.
    pub(super) fn between(self, mut figures: Vec<f64>, freedom: usize, wider: f64) -> Option<Interval> {
        figures.retain(|figure| figure.is_finite());
        figures.sort_unstable_by(f64::total_cmp);
        let tail = Normal::standard().cdf(-wider * t(1.0 - (1.0 - self.confidence) / 2.0, freedom));
        let low = quantile_of_sorted(&figures, tail)?;
        Some(Interval { low, high: quantile_of_sorted(&figures, 1.0 - tail)? })
    }
}

/// The quantile of Student's t.
pub(super) fn t(share: f64, freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.max(1) as f64).map_or(f64::NAN, |t| t.inverse_cdf(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{mean, median};

    #[test]
    fn the_interval_of_a_median_is_that_of_medians() {
        for count in [2, 7, 12] {
            let values: Vec<f64> = (0..count).map(|n| f64::from(n * n % 11)).collect();
            let slowly = Bootstrap::new(3).interval(values.len(), |drawn| {
                median(&drawn.iter().map(|at| sorted(&values)[*at]).collect::<Vec<_>>())
            });
            assert_eq!(Bootstrap::new(3).interval_of_median(&values), slowly);
        }
        assert_eq!(Bootstrap::new(3).interval_of_median(&[]), None);
    }

    fn sorted(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    #[test]
    fn one_thing_has_no_interval() {
        assert_eq!(Bootstrap::new(1).interval(1, |_| Some(1.0)), None);
        assert_eq!(Bootstrap::new(1).interval(5, |_| None), None);
    }

    #[test]
    fn the_same_seed_draws_the_same_interval() {
        let values: Vec<f64> = (0..30).map(|n| f64::from(n).powi(2)).collect();
        let draw = |seed| {
            let figure = |drawn: &[usize]| mean(&drawn.iter().map(|at| values[*at]).collect::<Vec<_>>());
            Bootstrap::new(seed).interval(values.len(), figure)
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    /// The law that the interval exists for: of many samples, about 95 % of the intervals hold the true mean, even of
    /// eight values. Without the widening it is 88 %.
    #[test]
    fn the_interval_of_eight_values_holds_the_truth_as_often_as_it_says() {
        let mut random = fastrand::Rng::with_seed(3);
        let held = (0..400)
            .filter(|round| {
                let values: Vec<f64> = (0..8).map(|_| normal(&mut random)).collect();
                let figure = |drawn: &[usize]| mean(&drawn.iter().map(|at| values[*at]).collect::<Vec<_>>());
                let bootstrap = Bootstrap { rounds: 500, ..Bootstrap::new(*round) };
                bootstrap.interval(values.len(), figure).is_some_and(|interval| interval.holds(0.0))
            })
            .count();
        assert!((370..=392).contains(&held), "{held} of 400");
    }

    fn normal(random: &mut fastrand::Rng) -> f64 {
        Normal::standard().inverse_cdf(random.f64().clamp(1e-12, 1.0 - 1e-12))
    }
}
