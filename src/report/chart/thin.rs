//! Fewer points for a drawing that has no room for all of them: what sticks out stays.

/// Up to so many points are drawn as they are.
const MOST: usize = 800;

/// The points, or of each of many short stretches the least and the greatest. A gap stays a gap.
pub(super) fn thinned(points: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    if points.len() <= MOST {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST / 2);
    points.chunks(stretch).flat_map(ends).collect()
}

/// The least and the greatest point of a stretch in their order; of one with gaps also a gap.
fn ends(stretch: &[(f64, Option<f64>)]) -> Vec<(f64, Option<f64>)> {
    let with_value = || stretch.iter().enumerate().filter_map(|(at, (_, y))| Some((at, (*y)?)));
    let least = with_value().min_by(|one, other| one.1.total_cmp(&other.1));
    let greatest = with_value().max_by(|one, other| one.1.total_cmp(&other.1));
    let gap = stretch.iter().position(|(_, y)| y.is_none());
    let mut kept: Vec<usize> =
        [least.map(|(at, _)| at), greatest.map(|(at, _)| at), gap].into_iter().flatten().collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|at| stretch[at]).collect()
}

/// The stretches without gaps.
pub(super) fn runs(points: &[(f64, Option<f64>)]) -> Vec<Vec<(f64, f64)>> {
    let stretches = points.split(|(_, y)| y.is_none());
    let whole =
        stretches.map(|stretch| stretch.iter().filter_map(|(x, y)| Some((*x, (*y)?))).collect::<Vec<_>>());
    whole.filter(|run| !run.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_and_a_gap_survive_the_thinning() {
        let mut points: Vec<(f64, Option<f64>)> = (0..5000).map(|at| (f64::from(at), Some(1.0))).collect();
        points[2_717].1 = Some(900.0);
        points[3_141].1 = Some(0.0);
        points[4_000].1 = None;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST + 1, "{}", thin.len());
        for special in [2_717, 3_141, 4_000] {
            assert!(thin.contains(&points[special]), "{special}");
        }
        assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0), "times go forward");
        assert_eq!(runs(&thin).len(), 2);
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points: Vec<(f64, Option<f64>)> =
            (0..800).map(|at| (f64::from(at), Some(f64::from(at)))).collect();
        assert_eq!(thinned(&points), points);
    }
}
