//! A straight line through points.

/// `intercept + slope * x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The value at nothing.
    pub intercept: f64,
    /// What one more adds.
    pub slope: f64,
}

/// The line with the least squares of the distances in y. None unless two points have different x.
pub fn fit(points: &[(f64, f64)]) -> Option<Line> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let slope = together / spread;
    (spread > 0.0 && slope.is_finite()).then_some(Line { intercept: y - slope * x, slope })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_above_each_other_have_no_line() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(fit(&[(1.0, 2.0), (3.0, 6.0)]), Some(Line { intercept: 0.0, slope: 2.0 }));
    }
}
