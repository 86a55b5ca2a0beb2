//! How the highest load grows with the nodes of a server: a search for each number of nodes, and the law through the answers.

pub(crate) mod report;

use serde::{Deserialize, Serialize};

use super::curve::{Scalability, law};
use super::result::CapacityResult;
use super::search::Above;
use crate::report::file::{Body, Kind};

/// Everything that is known of the growth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GrowthResult {
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub duration_us: u64,
    /// A search for each number of nodes, from the smallest on.
    pub searches: Vec<GrowthStep>,
    /// Whether the highest loads follow the Universal Scalability Law over the nodes. Only answers with an end above count.
    pub law: Scalability,
}

/// The search with one number of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GrowthStep {
    /// How many nodes the server had.
    pub nodes: u16,
    /// What was found.
    pub search: CapacityResult,
}

impl GrowthStep {
    /// The highest load that held, if any did.
    pub(super) fn held(&self) -> Option<f64> {
        self.search.found.as_ref()?.held
    }

    /// Whether a higher load broke, so that the highest is known and not a bound.
    pub(super) fn is_certain(&self) -> bool {
        self.held().is_some()
            && self.search.found.as_ref().is_some_and(|found| matches!(found.above, Above::Broke { .. }))
    }
}

impl GrowthResult {
    /// What these searches amount to. `seed` is that of the intervals of the law.
    pub(crate) fn of(
        started: String,
        duration_us: u64,
        searches: Vec<GrowthStep>,
        seed: u64,
    ) -> GrowthResult {
        let certain = searches.iter().filter(|step| step.is_certain());
        let measured: Vec<(f64, f64)> =
            certain.filter_map(|step| Some((f64::from(step.nodes), step.held()?))).collect();
        GrowthResult { started, duration_us, law: law(&measured, seed), searches }
    }

    /// The first search in which some load held, and the last.
    pub(super) fn ends(&self) -> Option<(&GrowthStep, &GrowthStep)> {
        let mut held = self.searches.iter().filter(|step| step.held().is_some());
        let first = held.next()?;
        Some((first, held.next_back()?))
    }
}

impl Body for GrowthResult {
    const KIND: Kind = Kind::Growth;

    fn set_tool_version(&mut self, version: &str) {
        self.searches.iter_mut().for_each(|step| step.search.set_tool_version(version));
    }
}

#[cfg(test)]
pub(super) mod example {
    use super::super::result::example::result;
    use super::super::search::{Above, Found};
    use super::*;

    /// Searches that found these highest loads, each with an end above.
    pub(super) fn growth(held: &[f64]) -> GrowthResult {
        let step = |(index, held): (usize, &f64)| {
            let mut search = result();
            let above = Above::Broke { load: held * 1.05, why: "the threshold was not met".to_owned() };
            search.found = search.found.map(|found| Found { held: Some(*held), above, ..found });
            GrowthStep { nodes: index as u16 + 1, search }
        };
        let searches = held.iter().enumerate().map(step).collect();
        GrowthResult::of("2026-01-01T00:00:00Z".to_owned(), 1_200_000_000, searches, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::schema;
    use super::*;
    use crate::report::file;
    use crate::statistics::usl::Usl;

    #[test]
    fn a_server_whose_nodes_follow_the_law_gives_it_back() {
        let law = Usl { lambda: 400.0, sigma: 0.08, kappa: 0.01 };
        let held: Vec<f64> = (1..=6).map(|nodes| law.at(f64::from(nodes))).collect();
        let found = example::growth(&held);
        let fitted = found.law.law().expect("six points are enough");
        assert!((fitted.sigma.value - 0.08).abs() < 1e-6 && (fitted.kappa.value - 0.01).abs() < 1e-6);
        assert_eq!(fitted.peak.map(f64::round), law.peak().map(f64::round));
    }

    #[test]
    fn a_search_that_the_generator_ended_is_no_point_of_the_law() {
        let mut searches = example::growth(&[100.0, 190.0, 270.0, 340.0]).searches;
        let of = |searches| GrowthResult::of(String::new(), 0, searches, 1).law;
        assert_ne!(of(searches.clone()), Scalability::Unknown);
        let found = searches[3].search.found.as_mut().expect("it found one");
        found.above = Above::Limited { load: 360.0, why: "one thread was busy".to_owned() };
        assert_eq!(of(searches), Scalability::Unknown, "three points are too few");
    }

    #[test]
    fn what_is_written_is_valid_by_the_schema_and_survives_being_stored() {
        let result = example::growth(&[100.0, 190.0, 270.0, 340.0]);
        let text = result.to_json();
        let schema = jsonschema::validator_for(&schema()).expect("it is a schema");
        assert!(schema.is_valid(&serde_json::from_str(&text).expect("it is JSON")));
        let back: GrowthResult = file::from_json(&text).expect("it is one");
        let held = |result: &GrowthResult| result.searches.iter().map(GrowthStep::held).collect::<Vec<_>>();
        assert_eq!((held(&back), &back.law), (held(&result), &result.law));
        assert_eq!(back.searches[0].search.tool_version, env!("CARGO_PKG_VERSION"));
    }
}
