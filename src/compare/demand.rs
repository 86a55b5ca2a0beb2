//! `--fail-on 'delivery p99 worse by 10 %'`: from which difference on a comparison fails.

use std::fmt;

use super::figure::{self, Better, KINDS, Kind};
use super::judge::{Difference, FigureRow};
use crate::document::closest;
use crate::units::growth_from;
use crate::verdict::Status;

/// A demand on a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Demand {
    figure: &'static str,
    /// By how much it may not be worse, as a share.
    limit: f64,
    text: String,
}

/// What stands between the figure and the limit.
const WORSE: &str = " worse by ";

impl Demand {
    /// Reads a demand.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write.
    pub(crate) fn parse(text: &str) -> Result<Demand, String> {
        const FORM: &str = "write it like `delivery p99 worse by 10 %`";
        let (name, limit) = text.split_once(WORSE).ok_or_else(|| FORM.to_owned())?;
        let name = name.trim();
        let kind = figure::kind(name).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            match closest(name, names.iter().copied()) {
                Some(near) => format!("there is no figure `{name}`: did you mean `{near}`?"),
                None => format!("there is no figure `{name}`: there are {}", names.join(", ")),
            }
        })?;
        let limit = growth_from(limit.trim()).map_err(|mistake| format!("{mistake}; {FORM}"))?;
        Ok(Demand { figure: kind.name, limit, text: text.trim().to_owned() })
    }

    /// The name of the figure that it is about.
    pub(crate) fn figure(&self) -> &'static str {
        self.figure
    }

    /// By how much the figure may not be worse, as a share.
    pub(crate) fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether these rows break it: a difference that is claimed and not smaller than the limit. A sentence then.
    pub(crate) fn broken_by(&self, server: &str, rows: &[FigureRow]) -> Option<String> {
        let kind = figure::kind(self.figure)?;
        let row = rows.iter().find(|row| row.figure == self.figure)?;
        let worse = worse_by(kind, row.ratio);
        (is_worse(kind, row.difference) && worse >= self.limit)
            .then(|| format!("{} of {server} is worse by {:.1} %", self.figure, worse * 100.0))
    }

    /// What is wrong by it with these servers and their rows: a sentence for each that breaks it, or that nobody has such a
    /// figure.
    pub(crate) fn complaints<'r>(
        &self,
        rows: impl Iterator<Item = (&'r str, &'r [FigureRow])> + Clone,
    ) -> Vec<String> {
        match rows.clone().any(|(_, rows)| self.is_about(rows)) {
            false => {
                vec![format!("error: `--fail-on '{self}'`: there is no such figure in what was measured")]
            }
            true => rows
                .filter_map(|(name, rows)| self.broken_by(name, rows))
                .map(|broken| format!("✗ {broken}"))
                .collect(),
        }
    }

    /// Whether there is anything among these rows that it is about.
    pub(crate) fn is_about(&self, rows: &[FigureRow]) -> bool {
        rows.iter().any(|row| row.figure == self.figure)
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong by these demands with these servers and their rows, a sentence each, and the status that follows from it.
pub(crate) fn judge<'r>(
    demands: &[Demand],
    rows: impl Iterator<Item = (&'r str, &'r [FigureRow])> + Clone,
) -> (Status, Vec<String>) {
    let broken: Vec<String> = demands.iter().flat_map(|demand| demand.complaints(rows.clone())).collect();
    (if broken.is_empty() { Status::Passed } else { Status::Failed }, broken)
}

/// By how much a ratio is worse, as a share: twice the time and half the rate are both worse by 100 %.
pub(crate) fn worse_by(kind: Kind, ratio: f64) -> f64 {
    match kind.better {
        Better::Less => ratio - 1.0,
        Better::More => ratio.recip() - 1.0,
    }
}

/// Whether a difference is for the worse.
pub(crate) fn is_worse(kind: Kind, difference: Difference) -> bool {
    match kind.better {
        Better::Less => difference == Difference::Larger,
        Better::More => difference == Difference::Smaller,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::comparison;
    use super::*;

    #[test]
    fn a_demand_names_a_figure_and_a_share() {
        let demand = Demand::parse("delivery p99 worse by 10 %").unwrap();
        assert_eq!((demand.figure, demand.limit), ("delivery p99", 0.1));
        assert_eq!(Demand::parse("ack p50 worse by 150 %").unwrap().limit, 1.5, "a time may triple");
        for (wrong, words) in [
            ("delivery p99 < 10 %", "write it like"),
            ("delivry p99 worse by 10 %", "did you mean `delivery p99`"),
            ("teapots worse by 10 %", "there are connect p50,"),
            ("cpu worse by ten", "write it like"),
        ] {
            let said = Demand::parse(wrong).unwrap_err();
            assert!(said.contains(words), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_demand_is_broken_by_a_claimed_difference_that_is_large_enough() {
        let slower = comparison(10, 1.3);
        let rows = &slower.comparisons[0].rows;
        let broken = |text: &str| Demand::parse(text).unwrap().broken_by("bun", rows);
        assert!(broken("delivery p50 worse by 10 %").unwrap().starts_with("delivery p50 of bun is worse by"));
        assert_eq!(broken("delivery p50 worse by 50 %"), None);
        assert_eq!(broken("deliveries worse by 0 %"), None);
        let same = comparison(10, 1.0);
        let demand = Demand::parse("delivery p50 worse by 0 %").unwrap();
        assert_eq!(demand.broken_by("bun", &same.comparisons[0].rows), None);
    }

    #[test]
    fn half_the_rate_and_twice_the_time_are_worse_alike() {
        assert_eq!(worse_by(figure::kind("deliveries").unwrap(), 0.5), 1.0);
        assert_eq!(worse_by(figure::kind("ack p50").unwrap(), 2.0), 1.0);
    }
}
