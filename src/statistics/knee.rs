//! Where a curve of throughput over load bends.

/// The knee lies where throughput has fallen to this share of what it would be if it grew with the load.
pub const SHARE: f64 = 0.8;

/// The load at which throughput falls to [`SHARE`] of linear. Linear is the best throughput per load of the lower half of
/// the points, at least the first, so that one bad first step does not bend it. Between two points the curve is straight.
/// None where it never falls so far. The points need no order.
pub fn knee(points: &[(f64, f64)]) -> Option<f64> {
    let mut points: Vec<(f64, f64)> = points.iter().copied().filter(|(load, _)| *load > 0.0).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lower = points.len().div_ceil(2);
    let linear = points[..lower].iter().map(|(load, rate)| rate / load).fold(0.0, f64::max);
    let best = points.iter().position(|(load, rate)| linear > 0.0 && rate / load >= linear)?;
    points[best..].windows(2).find_map(|pair| {
        let [(below, rate), (above, next)] = pair else { return None };
        if next / above > SHARE * linear {
            return None;
        }
        // rate + slope * (x - below) = SHARE * linear * x
        let slope = (next - rate) / (above - below);
        let at = (rate - slope * below) / (SHARE * linear - slope);
        Some(at.clamp(*below, *above))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_has_no_knee() {
        assert_eq!(knee(&[(10.0, 20.0), (20.0, 40.0), (80.0, 160.0)]), None);
        assert_eq!(knee(&[]), None);
        assert_eq!(knee(&[(10.0, 0.0), (20.0, 0.0)]), None, "nothing is nothing's linear growth");
    }

    #[test]
    fn a_plateau_at_a_hundred_has_its_knee_at_a_hundred_and_twenty_five() {
        let rate = |load: f64| load.min(100.0);
        let points: Vec<_> = [10.0, 20.0, 40.0, 80.0, 100.0, 160.0].map(|load| (load, rate(load))).into();
        let found = knee(&points).unwrap();
        assert!((found - 125.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn a_first_step_that_went_wrong_does_not_bend_the_line() {
        let points = [(10.0, 3.0), (20.0, 20.0), (40.0, 40.0), (80.0, 80.0), (160.0, 90.0)];
        let found = knee(&points).unwrap();
        assert!((80.0..160.0).contains(&found), "{found}");
    }
}
