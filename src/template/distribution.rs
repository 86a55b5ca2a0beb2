//! A size or a time that is another one each time: between two, around a mean, one of several.

use crate::document::{Fields, Key, Mistake, Node, Value};
use crate::units;

/// What is drawn, in its smallest unit: bytes, or microseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// The same each time.
    Always(u64),
    /// From one to the other, both included, each as likely.
    Between(u64, u64),
    /// Many a little above the least, few far above it.
    Exponential {
        /// The least.
        least: u64,
        /// What it comes to on average.
        mean: u64,
        /// What is never passed.
        most: u64,
    },
    /// One of these, each with its share; the shares are added up.
    OneOf(Vec<(u64, f64)>),
}

/// What is drawn, and within which bounds.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    /// What it is, for a sentence.
    pub what: &'static str,
    /// An example of a value.
    pub example: &'static str,
    /// Why a value is too small: it has to be at least this.
    pub least: (u64, &'static str),
    /// What no chance may pass.
    pub most: u64,
}

/// An exponential distribution goes on for ever. One in twenty thousand lies beyond so many times its mean.
const TIMES_THE_MEAN: u64 = 10;

/// How far shares may be from the whole, because 33.3 % is no third.
const SHARES_OFF: f64 = 0.001_5;

impl Distribution {
    /// Reads a value, or a map that says how it is drawn. `read` reads one value.
    ///
    /// # Errors
    /// When it is neither, or beyond what the quantity may be.
    pub fn read(
        node: &Node,
        quantity: &Quantity,
        read: &mut dyn FnMut(&Node) -> Result<u64, Mistake>,
    ) -> Result<Distribution, Mistake> {
        let mut read = |node: &Node| quantity.within(node, read(node)?);
        if !matches!(node.value, Value::Map(_)) {
            return read(node).map(Distribution::Always);
        }
        let fields = Fields::of(node, format!("{} by chance", quantity.what))?;
        let (kind, value) = fields.one_of(&["between", "mean", "one_of"])?;
        fields.deny_others()?;
        match kind {
            "between" => match value.list()? {
                [low, high] => {
                    let (low, high) = (read(low)?, read(high)?);
                    match low <= high {
                        true => Ok(Distribution::Between(low, high)),
                        false => Err(value.mistake("the first number is larger than the second")),
                    }
                }
                _ => Err(value
                    .mistake(format!("expected the least and the most, found {}", value.describe()))
                    .hint(format!("write it like `between: [{0}, {0}]`", quantity.example))),
            },
            "mean" => {
                let (mean, least) = (read(value)?, quantity.least.0);
                let most = (least + (mean - least).saturating_mul(TIMES_THE_MEAN)).min(quantity.most);
                Ok(Distribution::Exponential { least, mean, most })
            }
            _ => Distribution::one_of(value, quantity, &mut read),
        }
    }

    fn one_of(
        node: &Node,
        quantity: &Quantity,
        read: &mut dyn FnMut(&Node) -> Result<u64, Mistake>,
    ) -> Result<Distribution, Mistake> {
        let entries: &[(Key, Node)] = node.map().map_err(|mistake| {
            mistake.hint(format!("write it like `one_of: {{ {}: 80%, … }}`", quantity.example))
        })?;
        let (mut sum, mut choices) = (0.0, Vec::with_capacity(entries.len()));
        for (key, share) in entries {
            let text = Node { span: key.span, value: Value::Text(key.text.clone()) };
            let value = read(&text)?;
            sum += units::share(share)?.0;
            choices.push((value, sum));
        }
        if choices.is_empty() || (sum - 1.0).abs() > SHARES_OFF {
            return Err(node.mistake(format!("the shares add up to {}, not to 100 %", units::Share(sum))));
        }
        Ok(Distribution::OneOf(choices))
    }

    /// Draws one. `share` gives a number from 0 to below 1, each as likely.
    pub fn draw(&self, share: &mut dyn FnMut() -> f64) -> u64 {
        match self {
            Distribution::Always(value) => *value,
            Distribution::Between(low, high) => {
                let above = share() * ((high - low) as f64 + 1.0);
                (low + above as u64).min(*high)
            }
            Distribution::Exponential { least, mean, most } => {
                // From 1 down to above 0, of which there is a logarithm.
                let above = -(1.0 - share()).ln() * (mean - least) as f64;
                (least + above.round() as u64).min(*most)
            }
            Distribution::OneOf(choices) => {
                let share = share();
                let chosen = choices.iter().find(|(_, sum)| share < *sum).or(choices.last());
                chosen.map_or(0, |(value, _)| *value)
            }
        }
    }

    /// What it comes to on average.
    pub fn mean(&self) -> f64 {
        match self {
            Distribution::Always(value) => *value as f64,
            Distribution::Between(low, high) => (low + high) as f64 / 2.0,
            Distribution::Exponential { mean, .. } => *mean as f64,
            Distribution::OneOf(choices) => {
                let before = std::iter::once(0.0).chain(choices.iter().map(|(_, sum)| *sum));
                choices.iter().zip(before).map(|((value, sum), before)| *value as f64 * (sum - before)).sum()
            }
        }
    }

    /// It in words: `1s`, `1s to 5s`, `300 bytes on average`. The unit stands behind the last number.
    pub fn words(&self, spell: impl Fn(u64) -> String, unit: &str) -> String {
        match self {
            Distribution::Always(value) => format!("{}{unit}", spell(*value)),
            Distribution::Between(low, high) => format!("{} to {}{unit}", spell(*low), spell(*high)),
            Distribution::Exponential { mean, .. } => format!("{}{unit} on average", spell(*mean)),
            Distribution::OneOf(choices) => {
                let choices: Vec<String> = choices.iter().map(|(value, _)| spell(*value)).collect();
                format!("{}{unit}", choices.join(" or "))
            }
        }
    }
}

impl Quantity {
    fn within(&self, node: &Node, value: u64) -> Result<u64, Mistake> {
        let (least, why) = self.least;
        if value < least { Err(node.mistake(why)) } else { Ok(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(distribution: &Distribution) -> Vec<u64> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..20_000).map(|_| distribution.draw(&mut || random.f64())).collect()
    }

    fn mean(values: &[u64]) -> f64 {
        values.iter().sum::<u64>() as f64 / values.len() as f64
    }

    #[test]
    fn what_is_drawn_lies_within_its_bounds_and_has_its_mean() {
        for (distribution, least, most) in [
            (Distribution::Always(7), 7, 7),
            (Distribution::Between(100, 1000), 100, 1000),
            (Distribution::Exponential { least: 32, mean: 300, most: 2712 }, 32, 2712),
            (Distribution::OneOf(vec![(100, 0.8), (10_000, 1.0)]), 100, 10_000),
        ] {
            let drawn = drawn(&distribution);
            assert!(drawn.iter().all(|value| (least..=most).contains(value)), "{distribution:?}");
            let (mean, wanted) = (mean(&drawn), distribution.mean());
            assert!((mean / wanted - 1.0).abs() < 0.03, "{distribution:?}: {mean} {wanted}");
        }
    }

    #[test]
    fn both_ends_are_drawn_and_shares_are_kept() {
        let dice = drawn(&Distribution::Between(1, 6));
        assert!((1..=6).all(|face| dice.iter().filter(|value| **value == face).count() > 3000));
        let sizes = drawn(&Distribution::OneOf(vec![(100, 0.8), (10_000, 1.0)]));
        let large = sizes.iter().filter(|value| **value == 10_000).count();
        assert!((3700..4300).contains(&large), "{large}");
    }
}
