//! The law with the least squares, by the method of Levenberg and Marquardt, with some parameters held where they rest.

use super::Usl;

/// The place of λ among the parameters. It is always free.
pub(super) const LAMBDA: usize = 0;

/// Where parameters rest. Those that rest nowhere are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Face {
    pub(super) sigma: Option<f64>,
    pub(super) kappa: Option<f64>,
}

/// Steps after which the search ends, wherever it is. Some ten are usual.
const STEPS: usize = 200;
/// The search ends when a step lessens the squares by less than this share.
const SETTLED: f64 = 1e-14;

/// The law with the least squares. None where there is none, or the points do not tell.
pub(super) fn fit(points: &[(f64, f64)], face: Face, start: Option<Usl>) -> Option<Usl> {
    // A start that lies elsewhere is none.
    let lies_here = |usl: &Usl| {
        face.sigma.is_none_or(|held| held == usl.sigma) && face.kappa.is_none_or(|held| held == usl.kappa)
    };
    let mut usl = start.filter(lies_here).or_else(|| linear(points, face))?;
    let mut least = squares(usl, points);
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        let (matrix, slope) = normal(usl, points, |load, rate| rate - usl.at(load));
        let damped = |at: usize| matrix[at][at] * (1.0 + damping);
        let Some(step) = solve(matrix, slope, face, &damped) else { break };
        let next =
            Usl { lambda: usl.lambda + step[LAMBDA], sigma: usl.sigma + step[1], kappa: usl.kappa + step[2] };
        let found = squares(next, points);
        if found < least {
            let settled = least - found <= SETTLED * least;
            (usl, least, damping) = (next, found, (damping * 0.1).max(1e-12));
            if settled {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    Some(usl)
}

/// The sum of the squares of the distances. Infinite where the law makes no sense at a point.
pub(super) fn squares(usl: Usl, points: &[(f64, f64)]) -> f64 {
    let sensible = points.iter().all(|(load, _)| usl.slowing(*load) > 0.0);
    let sum: f64 = points.iter().map(|(load, rate)| (rate - usl.at(*load)).powi(2)).sum();
    if sensible && sum.is_finite() { sum } else { f64::INFINITY }
}

/// The residuals, each as large as if its point had not drawn the law towards itself. None where the points do not tell.
pub(super) fn enlarged(usl: Usl, points: &[(f64, f64)], residuals: &[f64]) -> Option<Vec<f64>> {
    let (matrix, _) = normal(usl, points, |_, _| 0.0);
    let face = Face { sigma: None, kappa: None };
    let leverage = |load: f64| {
        let gradient = usl.gradient(load);
        let solved = solve(matrix, gradient, face, &|at| matrix[at][at])?;
        Some(gradient.iter().zip(solved).map(|(one, other)| one * other).sum::<f64>())
    };
    points
        .iter()
        .zip(residuals)
        // A point that the law has to go through tells nothing of the noise.
        .map(|(point, residual)| Some(residual / (1.0 - leverage(point.0)?).max(0.05)))
        .collect()
}

/// A beginning: N/X is linear in 1/λ, σ/λ and κ/λ. Weighted so that distances count as they do in X.
fn linear(points: &[(f64, f64)], face: Face) -> Option<Usl> {
    let (sigma, kappa) = (face.sigma.unwrap_or(0.0), face.kappa.unwrap_or(0.0));
    let mut matrix = [[0.0; 3]; 3];
    let mut slope = [0.0; 3];
    for (load, rate) in points.iter().filter(|(_, rate)| *rate > 0.0) {
        // What rests is a part of the factor of 1/λ.
        let (waits, meets) = (load - 1.0, load * (load - 1.0));
        let row = [1.0 + sigma * waits + kappa * meets, waits, meets];
        let weight = (rate * rate / load).powi(2);
        add(&mut matrix, &mut slope, row, load / rate, weight);
    }
    let found = solve(matrix, slope, face, &|at| matrix[at][at])?;
    let lambda = found[LAMBDA].recip();
    let usl = Usl { lambda, sigma: sigma + found[1] * lambda, kappa: kappa + found[2] * lambda };
    let crude = || {
        let alone =
            |(load, rate): &(f64, f64)| rate / load * Usl { lambda: 1.0, sigma, kappa }.slowing(*load);
        Usl { lambda: points.iter().map(alone).fold(0.0, f64::max), sigma, kappa }
    };
    let usl = if squares(usl, points).is_finite() { usl } else { crude() };
    (usl.lambda > 0.0 && usl.lambda.is_finite()).then_some(usl)
}

type Matrix = [[f64; 3]; 3];

/// The normal equations of a step from here.
fn normal(usl: Usl, points: &[(f64, f64)], distance: impl Fn(f64, f64) -> f64) -> (Matrix, [f64; 3]) {
    let mut matrix = [[0.0; 3]; 3];
    let mut slope = [0.0; 3];
    for (load, rate) in points {
        add(&mut matrix, &mut slope, usl.gradient(*load), distance(*load, *rate), 1.0);
    }
    (matrix, slope)
}

fn add(matrix: &mut Matrix, slope: &mut [f64; 3], row: [f64; 3], value: f64, weight: f64) {
    for (at, one) in row.iter().enumerate() {
        slope[at] += weight * one * value;
        for (to, other) in row.iter().enumerate() {
            matrix[at][to] += weight * one * other;
        }
    }
}

/// Solves the equations for the parameters that rest nowhere; the others do not change. `diagonal` gives the diagonal that is to
/// be used. None where the equations have no single solution.
fn solve(matrix: Matrix, slope: [f64; 3], face: Face, diagonal: &dyn Fn(usize) -> f64) -> Option<[f64; 3]> {
    let is_free = [true, face.sigma.is_none(), face.kappa.is_none()];
    // The parameters differ by orders of magnitude: κ may be a millionth of σ. Scaled, their equations are alike.
    let scale: Vec<f64> = (0..3).map(|at| matrix[at][at].sqrt()).collect();
    let mut rows = [[0.0; 4]; 3];
    for at in 0..3 {
        if !is_free[at] {
            rows[at][at] = 1.0;
            continue;
        }
        for to in (0..3).filter(|to| is_free[*to]) {
            rows[at][to] = matrix[at][to] / (scale[at] * scale[to]);
        }
        rows[at][at] = diagonal(at) / (scale[at] * scale[at]);
        rows[at][3] = slope[at] / scale[at];
    }
    for at in 0..3 {
        let pivot = (at..3).max_by(|a, b| rows[*a][at].abs().total_cmp(&rows[*b][at].abs()))?;
        rows.swap(at, pivot);
        if rows[at][at].abs() < 1e-14 || !rows[at][at].is_finite() {
            return None;
        }
        for below in at + 1..3 {
            let factor = rows[below][at] / rows[at][at];
            let above = rows[at];
            rows[below].iter_mut().zip(above).skip(at).for_each(|(value, above)| *value -= factor * above);
        }
    }
    let mut solved = [0.0; 3];
    for at in (0..3).rev() {
        let known: f64 = (at + 1..3).map(|to| rows[at][to] * solved[to]).sum();
        solved[at] = (rows[at][3] - known) / rows[at][at];
    }
    for at in 0..3 {
        solved[at] = if is_free[at] { solved[at] / scale[at] } else { 0.0 };
    }
    Some(solved)
}
