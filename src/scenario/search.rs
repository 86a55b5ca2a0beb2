//! What `sockrates capacity` raises until it breaks, and between which loads: `capacity:` in a scenario.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::MOST_CLIENTS;
use crate::document::{Fields, Mistake, Node};
use crate::units;

/// What the author of a scenario says about a search; the command line may say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range {
    /// What is raised.
    pub axis: Option<Axis>,
    /// The first load.
    pub from: Option<f64>,
    /// The highest.
    pub to: Option<f64>,
}

/// What is raised until it breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The number of clients.
    #[default]
    Clients,
    /// The rate of all rounds together.
    Rate,
    /// The rate of all arrivals together.
    Arrivals,
    /// The value of a common variable.
    Variable(String),
}

impl Axis {
    /// Reads `clients`, `rate`, `arrivals` or the name of a variable.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(text: &str) -> Result<Axis, String> {
        let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
        match text {
            "clients" => Ok(Axis::Clients),
            "rate" => Ok(Axis::Rate),
            "arrivals" => Ok(Axis::Arrivals),
            name if !name.is_empty() && is_name(name) => Ok(Axis::Variable(name.to_owned())),
            _ => Err("expected clients, rate, arrivals or the name of a variable".to_owned()),
        }
    }

    /// Whether loads on it are whole numbers.
    pub fn is_counted(&self) -> bool {
        matches!(self, Axis::Clients | Axis::Variable(_))
    }

    /// A load in words: `500 clients`, `120/s`, `rooms = 50`.
    pub fn words(&self, load: f64) -> String {
        let digits = if load >= 100.0 { load.round() } else { (load * 100.0).round() / 100.0 };
        match self {
            Axis::Clients if load == 1.0 => "1 client".to_owned(),
            Axis::Clients => format!("{} clients", crate::measure::format::count(load.max(0.0) as u64)),
            Axis::Rate => format!("{digits}/s"),
            Axis::Arrivals => format!("{digits} arrivals/s"),
            Axis::Variable(name) => format!("{name} = {digits}"),
        }
    }
}

/// Reads a load: `500`, or `500/s` for one that is a rate.
///
/// # Errors
/// What was expected.
pub fn load_from(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix("/s").unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(number) if number > 0.0 && number <= 1e9 => Ok(number),
        _ => Err("expected a number like 500 or 500/s".to_owned()),
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Axis::Clients => f.write_str("clients"),
            Axis::Rate => f.write_str("rate"),
            Axis::Arrivals => f.write_str("arrivals"),
            Axis::Variable(name) => f.write_str(name),
        }
    }
}

/// Reads `capacity`. `vars` are the common variables.
pub(super) fn read(node: &Node, vars: Option<&Node>) -> Result<Range, Mistake> {
    let fields = Fields::of(node, "`capacity`")?;
    let (axis, from, to) = (fields.optional("axis"), fields.optional("from"), fields.optional("to"));
    fields.deny_others()?;
    let axis = axis.map(|node| self::axis(node, vars)).transpose()?;
    let counted = axis.as_ref().is_none_or(Axis::is_counted);
    let load = |node: Option<&Node>| node.map(|node| load(node, counted)).transpose();
    let range = Range { from: load(from)?, to: load(to)?, axis };
    match (range.from, range.to, to) {
        (Some(from), Some(high), Some(to)) if from > high => {
            Err(to.mistake("the highest load is less than the first"))
        }
        _ => Ok(range),
    }
}

fn axis(node: &Node, vars: Option<&Node>) -> Result<Axis, Mistake> {
    let text = node.word()?;
    let axis = Axis::parse(text).map_err(|why| node.mistake(why))?;
    let names = || -> Vec<&str> {
        let entries = vars.and_then(|vars| vars.map().ok()).unwrap_or_default();
        entries.iter().map(|(key, _)| key.text.as_str()).collect()
    };
    match &axis {
        Axis::Variable(name) if !names().contains(&name.as_str()) => {
            let known = ["clients", "rate", "arrivals"].into_iter().chain(names());
            Err(node
                .mistake(format!("`{name}` is none of clients, rate and arrivals, and no common variable"))
                .did_you_mean(name, known))
        }
        _ => Ok(axis),
    }
}

fn load(node: &Node, counted: bool) -> Result<f64, Mistake> {
    match counted {
        true => node.int_within(1..=i64::from(MOST_CLIENTS)).map(|load| load as f64),
        false => units::rate(node).map(|rate| rate.per_second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_a_word_or_a_variable() {
        assert_eq!(Axis::parse("rooms"), Ok(Axis::Variable("rooms".to_owned())));
        assert_eq!(Axis::parse("rate"), Ok(Axis::Rate));
        assert!(Axis::parse("a=b").is_err() && Axis::parse("").is_err());
        assert_eq!([load_from("500"), load_from(" 2.5/s")], [Ok(500.0), Ok(2.5)]);
        assert!(["0", "-1", "1e10", "nan", "5/min"].into_iter().all(|wrong| load_from(wrong).is_err()));
        assert_eq!(Axis::Clients.words(12_345.0), "12,345 clients");
        assert_eq!(Axis::Rate.words(12.345), "12.35/s");
        assert_eq!(Axis::Variable("rooms".to_owned()).words(50.0), "rooms = 50");
    }
}
