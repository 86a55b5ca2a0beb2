//! The Universal Scalability Law, and how it is laid through measured points.
//!
//! X(N) = λN / (1 + σ(N - 1) + κN(N - 1)): what N clients achieve together, when one achieves λ, a share σ of the work has
//! to wait for its turn, and each pair of clients costs κ (Gunther, "Guerrilla Capacity Planning", 2007, chapter 4).
//!
//! The fit has the least squares of the distances in X, with σ from 0 to 1 and κ not below 0. No bound is met by cutting
//! off: a fit is made for each choice of parameters that rest on a bound (the faces of the box), and the best of those that keep
//! within is taken, which is the constrained minimum. σ = 1 is a server that is full before the first load that was
//! measured. Intervals are a wild bootstrap: each residual is drawn with a sign by chance
//! and enlarged by its leverage, so that no noise is assumed to be alike at small loads and at large ones.

mod least_squares;

use super::bootstrap::{Bootstrap, Interval};
use least_squares::Face;

/// The law with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usl {
    /// What one client achieves alone, a second.
    pub lambda: f64,
    /// The share of the work that waits for its turn: contention.
    pub sigma: f64,
    /// The cost of each pair of clients: coherency.
    pub kappa: f64,
}

impl Usl {
    /// The throughput of this number of clients.
    pub fn at(self, clients: f64) -> f64 {
        self.lambda * clients / self.slowing(clients)
    }

    /// The number of clients beyond which throughput falls, at least one. None where it never does.
    pub fn peak(self) -> Option<f64> {
        (self.kappa > 0.0).then(|| ((1.0 - self.sigma).max(0.0) / self.kappa).sqrt().max(1.0))
    }

    /// Whether the parameters mean anything: λ is more than nothing, σ is a share, and κ is no gain.
    fn is_within_bounds(self) -> bool {
        self.lambda > 0.0 && (LEAST..=MOST_SIGMA).contains(&self.sigma) && self.kappa >= LEAST
    }

    fn slowing(self, clients: f64) -> f64 {
        1.0 + self.sigma * (clients - 1.0) + self.kappa * clients * (clients - 1.0)
    }

    /// How throughput changes with each parameter.
    fn gradient(self, clients: f64) -> [f64; 3] {
        let slowing = self.slowing(clients);
        let by_sigma = -self.lambda * clients * (clients - 1.0) / slowing.powi(2);
        [clients / slowing, by_sigma, by_sigma * clients]
    }
}

/// What neither σ nor κ is below.
const LEAST: f64 = 0.0;

/// What σ is not above: nothing waits more than all of the work.
const MOST_SIGMA: f64 = 1.0;

/// The faces of the box in which σ and κ lie, the inside first.
const FACES: [Face; 6] = [
    Face { sigma: None, kappa: None },
    Face { sigma: None, kappa: Some(LEAST) },
    Face { sigma: Some(LEAST), kappa: None },
    Face { sigma: Some(MOST_SIGMA), kappa: None },
    Face { sigma: Some(LEAST), kappa: Some(LEAST) },
    Face { sigma: Some(MOST_SIGMA), kappa: Some(LEAST) },
];

/// So far from the law a point may lie, as a share of what was measured there, if the law is to describe the points.
///
/// The sharpest bend that a sound server makes, linear until it is full and flat from there on, is rounder in the law, which
/// then is off by up to 30 % at the least loads. A server that breaks down at some load is off by more. The part of the
/// variance that is explained would be no such measure: where a server is full all the time, a constant describes it, and
/// explains nothing.
pub const FARTHEST: f64 = 1.0 / 3.0;

/// The law laid through points.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The law.
    pub usl: Usl,
    /// The points: clients, and throughput a second.
    pub points: Vec<(f64, f64)>,
    /// How far each point lies above the law.
    pub residuals: Vec<f64>,
    /// The part of the variance of the throughput that the law explains: at most 1.
    pub explained: f64,
}

/// The intervals of the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intervals {
    /// Of λ.
    pub lambda: Interval,
    /// Of σ.
    pub sigma: Interval,
    /// Of κ.
    pub kappa: Interval,
    /// Of the peak; its upper end is infinite where the law may have none.
    pub peak: Interval,
}

/// The fewest loads from which three parameters can be fitted.
const FEWEST: usize = 4;

/// Lays the law through points of clients and throughput. None for fewer than four different loads, or where nothing was
/// achieved.
pub fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    let mut loads: Vec<f64> = points.iter().map(|(load, _)| *load).collect();
    loads.sort_unstable_by(f64::total_cmp);
    loads.dedup();
    let sound = |point: &(f64, f64)| point.0 >= 1.0 && point.0.is_finite() && point.1.is_finite();
    if loads.len() < FEWEST || !points.iter().all(sound) {
        return None;
    }
    let usl = best(points, None)?;
    let residuals: Vec<f64> = points.iter().map(|(load, rate)| rate - usl.at(*load)).collect();
    let mean = points.iter().map(|(_, rate)| rate).sum::<f64>() / points.len() as f64;
    let spread: f64 = points.iter().map(|(_, rate)| (rate - mean).powi(2)).sum();
    let left: f64 = residuals.iter().map(|residual| residual.powi(2)).sum();
    let explained = if spread > 0.0 { 1.0 - left / spread } else { 0.0 };
    Some(Fit { usl, points: points.to_vec(), residuals, explained })
}

impl Fit {
    /// The point that lies farthest from the law, and how far, as a share of what was measured there.
    pub fn farthest(&self) -> (f64, f64) {
        let share = |((load, rate), residual): (&(f64, f64), &f64)| (*load, (residual / rate).abs());
        let shares = self.points.iter().zip(&self.residuals).map(share);
        // Where nothing was achieved, every law is infinitely far off, or goes through it.
        let shares = shares.map(|(load, share)| (load, if share.is_nan() { 0.0 } else { share }));
        shares.max_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or_default()
    }

    /// Whether the law describes the points: none lies farther from it than [`FARTHEST`].
    pub fn describes(&self) -> bool {
        self.farthest().1 <= FARTHEST
    }

    /// How sure the parameters are. None where there are no more points than parameters.
    pub fn intervals(&self, bootstrap: Bootstrap) -> Option<Intervals> {
        let freedom = self.points.len().checked_sub(3).filter(|freedom| *freedom > 0)?;
        let enlarged = least_squares::enlarged(self.usl, &self.points, &self.residuals)?;
        let mut random = fastrand::Rng::with_seed(bootstrap.seed);
        let mut drawn: Vec<Usl> = Vec::with_capacity(bootstrap.rounds as usize);
        let mut points = self.points.clone();
        for _ in 0..bootstrap.rounds {
            for (point, residual) in points.iter_mut().zip(&enlarged) {
                point.1 = self.usl.at(point.0) + if random.bool() { *residual } else { -residual };
            }
            drawn.extend(best(&points, Some(self.usl)));
        }
        let of =
            |figure: fn(&Usl) -> f64| bootstrap.between(drawn.iter().map(figure).collect(), freedom, 1.0);
        // A peak may be infinitely far, so its reciprocal is drawn.
        let nearness = of(|usl| usl.peak().map_or(0.0, f64::recip))?;
        Some(Intervals {
            lambda: of(|usl| usl.lambda)?,
            sigma: of(|usl| usl.sigma)?,
            kappa: of(|usl| usl.kappa)?,
            peak: Interval { low: nearness.high.recip(), high: nearness.low.recip() },
        })
    }
}

/// The law with the least squares of all that keep within the bounds.
fn best(points: &[(f64, f64)], start: Option<Usl>) -> Option<Usl> {
    let mut best: Option<(f64, Usl)> = None;
    for face in FACES {
        let Some(usl) = least_squares::fit(points, face, start).filter(|usl| usl.is_within_bounds()) else {
            continue;
        };
        let squares = least_squares::squares(usl, points);
        if best.is_none_or(|(least, _)| squares < least) {
            best = Some((squares, usl));
        }
        // Nothing that rests on a bound is better than what is free and keeps within.
        if face == FACES[0] {
            break;
        }
    }
    best.map(|(_, usl)| usl)
}

#[cfg(test)]
mod tests;
