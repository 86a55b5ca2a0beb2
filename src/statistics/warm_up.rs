//! Where a warm-up ends.
//!
//! The rule is MSER (White 1997): cut off at the front what makes the mean of the rest the surest, that is, the least
//! variance of the rest divided by its length; and never more than half, because a series that only gets steady in its
//! second half was not steady.

/// How many values of a series belong to its warm-up.
pub fn warm_up(values: &[f64]) -> usize {
    let uncertainty = |cut: usize| {
        let rest = &values[cut..];
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        rest.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2)
    };
    // The first of equals, so that a constant series loses nothing.
    (0..=values.len() / 2)
        .filter(|cut| *cut < values.len())
        .map(|cut| (cut, uncertainty(cut)))
        .fold(None, |best: Option<(usize, f64)>, one| match best {
            Some(best) if best.1 <= one.1 => Some(best),
            _ => Some(one),
        })
        .map_or(0, |(cut, _)| cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_is_steady_from_the_start_loses_nothing() {
        assert_eq!(warm_up(&[]), 0);
        assert_eq!(warm_up(&[5.0]), 0);
        assert_eq!(warm_up(&[5.0; 10]), 0);
    }

    #[test]
    fn a_slow_start_is_cut_off() {
        let values = [90.0, 60.0, 22.0, 10.0, 11.0, 10.0, 9.0, 10.0, 11.0, 10.0, 10.0, 9.0];
        assert_eq!(warm_up(&values), 3);
    }

    #[test]
    fn no_more_than_half_is_cut_off() {
        let falling: Vec<f64> = (0..20).map(|n| 100.0 - f64::from(n)).collect();
        assert_eq!(warm_up(&falling), 10);
    }
}
