//! The curves through the points of a search: throughput over load, and what each client costs.

use serde::{Deserialize, Serialize};

use super::point::Point;
use crate::statistics::{Bootstrap, Interval, knee, line, median, usl};

/// What the points of a search amount to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Curve {
    /// The load at which throughput falls to 80 % of linear, if it does.
    pub knee: Option<f64>,
    /// Whether the points follow the Universal Scalability Law.
    pub law: Scalability,
    /// Processors for each client, at the highest load that held.
    pub processors_a_client: Option<f64>,
    /// Memory for each client in bytes: how it grows with the clients.
    pub memory_a_client: Option<f64>,
    /// Memory without clients, by the same line.
    pub memory_without: Option<f64>,
    /// Bytes in and out a second for each client, at the highest load that held.
    pub bytes_a_client: Option<f64>,
}

/// Whether throughput over load follows the Universal Scalability Law.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scalability {
    /// Not asked: the load is no number of clients, or there are too few points.
    #[default]
    Unknown,
    /// It does not: even the law with the least squares lies too far from one of the points.
    Otherwise {
        /// The load of the point that lies farthest.
        load: f64,
        /// How far, as a share of the throughput that was measured there. None where that was nothing.
        off: Option<f64>,
    },
    /// It does.
    Law(Law),
}

impl Scalability {
    /// The law, where the points follow it.
    pub(crate) fn law(&self) -> Option<&Law> {
        match self {
            Scalability::Law(law) => Some(law),
            Scalability::Unknown | Scalability::Otherwise { .. } => None,
        }
    }

    /// That the points do not follow it, and why not, as a sentence without its full stop. None where they do, and where
    /// it is not known. `words` tells a load.
    pub(crate) fn refusal(&self, words: &dyn Fn(f64) -> String) -> Option<String> {
        let Scalability::Otherwise { load, off } = self else { return None };
        let off = off.map_or("nothing was achieved".to_owned(), |off| {
            format!("the nearest one is off by {:.0} %", off * 100.0)
        });
        Some(format!("these points follow no such law: {off} at {}", words(*load)))
    }
}

/// The Universal Scalability Law through the points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Law {
    /// Throughput of one client.
    pub lambda: Parameter,
    /// Contention.
    pub sigma: Parameter,
    /// Coherency.
    pub kappa: Parameter,
    /// The load beyond which throughput falls, unless it lies beyond twice the largest load that was measured.
    pub peak: Option<f64>,
    /// The part of the variance that it explains.
    pub explained: f64,
    /// At each load: the throughput that was measured and how far it lies above the law.
    pub points: Vec<Residual>,
}

/// A parameter and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Parameter {
    /// The parameter.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A point beside the law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Residual {
    /// The load.
    pub load: f64,
    /// The throughput that was measured.
    pub throughput: f64,
    /// How far it lies above the law.
    pub residual: f64,
}

/// How far beyond the largest load that was measured anything is said.
pub(crate) const FARTHEST: f64 = 2.0;

/// Lays the curves. `held` is the highest load that held; `of_clients` whether the load is a number of clients.
pub(crate) fn curve(points: &[Point], held: Option<f64>, of_clients: bool, seed: u64) -> Curve {
    let measured = throughputs(points);
    let at_held = |figure: fn(&Point) -> Option<f64>| {
        let at: Vec<f64> = points
            .iter()
            .filter(|point| Some(point.load) == held && point.is_of_the_server() && point.clients > 0)
            .filter_map(|point| Some(figure(point)? / point.clients as f64))
            .collect();
        median(&at)
    };
    let memory: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.is_of_the_server())
        .filter_map(|point| Some((point.clients as f64, point.memory? as f64)))
        .collect();
    let memory = line::fit(&memory).filter(|line| line.slope > 0.0);
    Curve {
        knee: knee::knee(&measured),
        law: if of_clients { law(&measured, seed) } else { Scalability::Unknown },
        processors_a_client: at_held(|point| point.processors),
        memory_a_client: memory.map(|line| line.slope),
        memory_without: memory.map(|line| line.intercept.max(0.0)),
        bytes_a_client: at_held(|point| Some(point.bytes)),
    }
}

/// The throughput at each load, in the median of its runs, in the order of the loads.
pub(crate) fn throughputs(points: &[Point]) -> Vec<(f64, f64)> {
    let mut loads: Vec<f64> =
        points.iter().filter(|point| point.is_of_the_server()).map(|point| point.load).collect();
    loads.sort_unstable_by(f64::total_cmp);
    loads.dedup();
    let at = |load: f64| {
        let all = points.iter().filter(|point| point.load == load && point.is_of_the_server());
        Some((load, median(&all.map(|point| point.throughput).collect::<Vec<_>>())?))
    };
    loads.into_iter().filter_map(at).collect()
}

/// The law through points of a number and what it achieves. `seed` is that of the intervals.
pub(crate) fn law(measured: &[(f64, f64)], seed: u64) -> Scalability {
    match usl::fit(measured) {
        None => Scalability::Unknown,
        Some(fit) if !fit.describes() => {
            let (load, off) = fit.farthest();
            Scalability::Otherwise { load, off: Some(off).filter(|off| off.is_finite()) }
        }
        Some(fit) => described(&fit, seed).map_or(Scalability::Unknown, Scalability::Law),
    }
}

/// The law that describes the points. None where nothing is known of its intervals.
fn described(fit: &usl::Fit, seed: u64) -> Option<Law> {
    let intervals = fit.intervals(Bootstrap::new(seed))?;
    let largest = fit.points.last()?.0;
    let parameter = |value: f64, Interval { low, high }: Interval| Parameter { value, low, high };
    Some(Law {
        lambda: parameter(fit.usl.lambda, intervals.lambda),
        sigma: parameter(fit.usl.sigma, intervals.sigma),
        kappa: parameter(fit.usl.kappa, intervals.kappa),
        peak: fit.usl.peak().filter(|peak| *peak <= FARTHEST * largest),
        explained: fit.explained,
        points: fit
            .points
            .iter()
            .zip(&fit.residuals)
            .map(|((load, throughput), residual)| Residual {
                load: *load,
                throughput: *throughput,
                residual: *residual,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::result::example::point;
    use crate::scenario::Axis;

    #[test]
    fn a_server_that_follows_the_law_gives_it_back() {
        let law = usl::Usl { lambda: 10.0, sigma: 0.01, kappa: 0.0001 };
        let points: Vec<Point> =
            [10.0, 20.0, 40.0, 80.0, 120.0, 160.0].iter().map(|load| point(*load, law.at(*load))).collect();
        let curve = curve(&points, Some(80.0), true, 1);
        let found = curve.law.law().unwrap();
        assert!((found.sigma.value - 0.01).abs() < 1e-6, "{found:?}");
        assert!((found.peak.unwrap() - law.peak().unwrap()).abs() < 0.1, "{found:?}");
        assert!(found.explained > 0.9999);
        assert!((10.0..80.0).contains(&curve.knee.unwrap()), "{:?}", curve.knee);
        assert_eq!(curve.memory_a_client.unwrap().round(), 20_000.0);
    }

    #[test]
    fn nothing_is_said_of_what_lies_far_beyond_the_largest_load() {
        let law = usl::Usl { lambda: 10.0, sigma: 0.0, kappa: 0.000_001 };
        let points: Vec<Point> =
            [10.0, 20.0, 40.0, 80.0, 160.0].iter().map(|load| point(*load, law.at(*load))).collect();
        assert_eq!(curve(&points, Some(80.0), true, 1).law.law().unwrap().peak, None);
    }

    #[test]
    fn rates_have_no_law() {
        let points: Vec<Point> = [10.0, 20.0, 40.0, 80.0].map(|load| point(load, load)).into();
        assert_eq!(curve(&points, None, false, 1).law, Scalability::Unknown);
    }

    #[test]
    fn points_that_no_law_describes_get_none() {
        let throughputs = [(10.0, 100.0), (20.0, 200.0), (40.0, 400.0), (80.0, 800.0), (160.0, 20.0)];
        let points: Vec<Point> = throughputs.map(|(load, throughput)| point(load, throughput)).into();
        let law = curve(&points, Some(80.0), true, 1).law;
        assert!(
            matches!(law, Scalability::Otherwise { load: 160.0, off: Some(off) } if off > 1.0),
            "{law:?}"
        );
        let said = law.refusal(&|load| Axis::Clients.words(load)).unwrap();
        assert!(said.starts_with("these points follow no such law: the nearest one is off by "), "{said}");
        assert!(said.ends_with(" % at 160 clients"), "{said}");
        let nothing = Scalability::Otherwise { load: 9.0, off: None };
        let nothing = nothing.refusal(&|load| Axis::Clients.words(load)).unwrap();
        assert!(nothing.ends_with("nothing was achieved at 9 clients"), "{nothing}");
    }
}
