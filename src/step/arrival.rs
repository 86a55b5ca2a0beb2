//! When the clients of a group begin their first connect: all at once, or one after another, evenly or by chance, at rates
//! that may change.
//!
//! The moments are worked out once, when the plan is made, from nothing but the seed, the group and the client's
//! number.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::chance::{ARRIVALS, Chance};
use super::schema::{self, Schema, Shape, named};
use crate::document::{Fields, Mistake, Node, Value};
use crate::units::{self, Rate, Spelt};

/// When the clients of a group begin their first connect.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Arrival {
    /// Stretches one after another; none: all come at once. The last rate goes on for whoever is left.
    stages: Vec<Stage>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stage {
    /// The rate at its begin.
    from: f64,
    /// The rate at its end, to which it changes steadily.
    to: f64,
    /// How long it is, where another follows or the rate changes.
    length: Option<Duration>,
    spacing: Spacing,
}

/// How the clients of a stretch come one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spacing {
    /// At equal distances.
    Even,
    /// Independently of each other, as strangers do.
    Poisson,
}

impl Arrival {
    /// The schema of what stands behind `arrive`.
    pub fn schema() -> Schema {
        let rate = || schema::either([named("rate"), schema::fitting(r"\$\{")]);
        let mut stage = Shape::new("A stage of arrivals: at one rate, or from one rate to another.")
            .takes("rate", rate(), "How often clients come.")
            .takes("from", rate(), "How often they come at the beginning.")
            .takes("to", rate(), "How often they come at the end.")
            .takes("for", named("time"), "How long the stage lasts.")
            .takes("by", schema::words(["even", "poisson"]), "`poisson`: independently of each other.")
            .schema();
        stage["oneOf"] = serde_json::json!([
            { "required": ["rate"], "not": { "anyOf": [{ "required": ["from"] }, { "required": ["to"] }] } },
            { "required": ["from", "to"], "not": { "required": ["rate"] } },
        ]);
        schema::either([schema::words(["at_once"]), rate(), stage.clone(), schema::some(stage)])
    }

    /// Reads `at_once`, a rate, a stage, or a list of stages.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn read(node: &Node) -> Result<Arrival, Mistake> {
        let stages = match &node.value {
            Value::Text(word) if word == "at_once" => Vec::new(),
            Value::Map(_) => vec![Stage::read(node)?],
            Value::List(items) if items.is_empty() => {
                return Err(node
                    .mistake("expected at least one stage, found an empty list")
                    .hint("write it like `[ { rate: 100/s, for: 10s }, { rate: 500/s } ]`"));
            }
            Value::List(items) => Stage::read_all(items)?,
            _ => {
                let rate = units::rate(node).map_err(|mistake| {
                    mistake.hint("write `at_once`, a rate like 200/s, or `{ rate: 200/s, by: poisson }`")
                })?;
                vec![Stage {
                    from: rate.per_second,
                    to: rate.per_second,
                    length: None,
                    spacing: Spacing::Even,
                }]
            }
        };
        Ok(Arrival { stages })
    }

    /// The highest of its rates; none where all come at once.
    pub fn rate(&self) -> Option<Rate> {
        let rates = self.stages.iter().map(|stage| stage.from.max(stage.to));
        rates.reduce(f64::max).map(|per_second| Rate { per_second })
    }

    /// The same with all rates multiplied by this factor. Stages last as long as before.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Arrival {
        for stage in &mut self.stages {
            stage.from *= by;
            stage.to *= by;
        }
        self
    }

    /// When each of so many clients begins, after the act does; empty where all come at once. `group` is its number in the
    /// scenario.
    pub fn offsets(&self, count: u64, seed: u64, group: u64) -> Arc<[Duration]> {
        if self.stages.is_empty() {
            return Arc::default();
        }
        let mut chance = Chance::of(seed, &[ARRIVALS, group]);
        let stages = self.endless();
        let mut way = Way { stages: &stages, began: 0.0, came: 0.0 };
        // A process of changing rate is an even one on a clock that runs as fast as the rate is high. On that clock one
        // client comes each second, or one on average.
        let mut clock = 0.0;
        let mut offset = |n| {
            match way.stages[0].spacing {
                Spacing::Even if n == 0 => {}
                Spacing::Even => clock += 1.0,
                Spacing::Poisson => clock += chance.exponential(),
            }
            way.at(clock)
        };
        (0..count).map(&mut offset).collect()
    }

    /// When the last of so many begins; on average, where chance has a part in it.
    pub fn last(&self, count: u32) -> Duration {
        let stages = self.endless();
        match stages.is_empty() {
            true => Duration::ZERO,
            false => Way { stages: &stages, began: 0.0, came: 0.0 }.at(f64::from(count.saturating_sub(1))),
        }
    }

    /// Whether chance has a part in it.
    pub fn is_by_chance(&self) -> bool {
        self.stages.iter().any(|stage| stage.spacing == Spacing::Poisson)
    }

    /// The stages, and one more without an end, in which the last rate goes on.
    fn endless(&self) -> Vec<Stage> {
        let after = self.stages.last().map(|last| Stage { from: last.to, length: None, ..*last });
        self.stages.iter().copied().chain(after).collect()
    }
}

/// Later than any run ends, and early enough to calculate with: a hundred years.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The way through the stages, on which one only goes forward. The last has no end.
struct Way<'s> {
    stages: &'s [Stage],
    /// When the stage began, in seconds.
    began: f64,
    /// How many came before it.
    came: f64,
}

impl Way<'_> {
    /// When this number of clients have arrived.
    fn at(&mut self, clock: f64) -> Duration {
        while let [stage, rest @ ..] = self.stages
            && let Some(length) = stage.length
            && !rest.is_empty()
            && clock >= self.came + stage.room(length)
        {
            self.began += length.as_secs_f64();
            self.came += stage.room(length);
            self.stages = rest;
        }
        let seconds = self.began + self.stages[0].time(clock - self.came);
        Duration::try_from_secs_f64(seconds).map_or(NEVER, |offset| offset.min(NEVER))
    }
}

impl Stage {
    fn read_all(items: &[Node]) -> Result<Vec<Stage>, Mistake> {
        let stages: Vec<Stage> = items.iter().map(Stage::read).collect::<Result<_, _>>()?;
        let before_last = stages.iter().zip(items).rev().skip(1);
        match before_last.rev().find(|(stage, _)| stage.length.is_none()) {
            Some((_, item)) => Err(item
                .mistake("this stage has no end, and another follows")
                .hint("say how long it lasts: `for: 10s`")),
            None => Ok(stages),
        }
    }

    fn read(node: &Node) -> Result<Stage, Mistake> {
        let fields = Fields::of(node, "a stage of arrivals")
            .map_err(|mistake| mistake.hint("write it like `{ rate: 100/s, for: 10s }`"))?;
        let (rate, from, to) = (fields.optional("rate"), fields.optional("from"), fields.optional("to"));
        let length = fields.optional("for").map(units::positive_duration).transpose()?;
        let spacing = fields.optional("by").map_or(Ok(Spacing::Even), Spacing::read)?;
        fields.deny_others()?;
        let (from, to) = match (rate, from, to) {
            (Some(rate), None, None) => {
                let rate = units::rate(rate)?;
                (rate, rate)
            }
            (None, Some(from), Some(to)) => (units::rate(from)?, units::rate(to)?),
            (Some(_), Some(other), _) | (Some(_), None, Some(other)) => {
                return Err(other
                    .mistake("a stage has one `rate`, or goes `from` one `to` another")
                    .hint("keep one of them"));
            }
            _ => {
                return Err(node
                    .mistake("this stage has no rate of arrivals")
                    .hint("write `rate: 100/s`, or `from: 10/s, to: 200/s`"));
            }
        };
        if from != to && length.is_none() {
            return Err(node
                .mistake("the rate changes, and nothing says how long that takes")
                .hint("add `for: 30s`"));
        }
        Ok(Stage { from: from.per_second, to: to.per_second, length, spacing })
    }

    /// How many come in it, when it lasts so long.
    fn room(&self, length: Duration) -> f64 {
        (self.from + self.to) / 2.0 * length.as_secs_f64()
    }

    /// After how long this number of clients have arrived in it.
    fn time(&self, clients: f64) -> f64 {
        let slope = match self.length {
            Some(length) => (self.to - self.from) / length.as_secs_f64(),
            None => 0.0,
        };
        // from * t + slope / 2 * t² = clients, in the form that loses no digits where the slope is small. Rounding may
        // take what is under the root below nothing.
        2.0 * clients / (self.from + (self.from * self.from + 2.0 * slope * clients).max(0.0).sqrt())
    }
}

impl Spacing {
    fn read(node: &Node) -> Result<Spacing, Mistake> {
        match node.text()? {
            "even" => Ok(Spacing::Even),
            "poisson" => Ok(Spacing::Poisson),
            word => Err(node
                .mistake(format!("clients come `even` or by `poisson`, found `{word}`"))
                .did_you_mean(word, ["even", "poisson"])),
        }
    }
}

/// The rates in words: `at 100/s for 10s, then at 500/s by chance`.
impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages.iter().enumerate() {
            let rate = |per_second| Rate { per_second };
            f.write_str(if index > 0 { ", then " } else { "" })?;
            match stage.from == stage.to {
                true => write!(f, "at {}", rate(stage.from))?,
                false => write!(f, "from {} to {}", rate(stage.from), rate(stage.to))?,
            }
            if let Some(length) = stage.length {
                write!(f, " for {}", Spelt(length))?;
            }
            if stage.spacing == Spacing::Poisson {
                f.write_str(" by chance")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};

    fn arrival(text: &str) -> Result<Arrival, String> {
        let node = parse(&Source { name: "t".into(), text: text.into() }).expect("it is YAML");
        Arrival::read(&node).map_err(|mistake| mistake.message)
    }

    /// The offsets in milliseconds.
    fn offsets(text: &str, count: u64) -> Vec<u128> {
        let offsets = arrival(text).expect("it is right").offsets(count, 1, 0);
        offsets.iter().map(|offset| (offset.as_micros() + 500) / 1000).collect()
    }

    #[test]
    fn clients_come_at_once_or_evenly() {
        assert_eq!(offsets("at_once", 3), [0; 0]);
        assert_eq!(offsets("100/s", 4), [0, 10, 20, 30]);
        assert_eq!(offsets("{ rate: 100/s }", 4), offsets("100/s", 4));
    }

    #[test]
    fn one_stage_follows_the_other_and_the_last_rate_goes_on() {
        let stages = "[ { rate: 10/s, for: 500ms }, { rate: 100/s } ]";
        assert_eq!(offsets(stages, 8), [0, 100, 200, 300, 400, 500, 510, 520]);
        // Five fit into the first stage; with an end of its own the last goes on all the same.
        let ended = "[ { rate: 10/s, for: 500ms }, { rate: 100/s, for: 10ms } ]";
        assert_eq!(offsets(ended, 8), offsets(stages, 8));
    }

    #[test]
    fn a_ramp_rises_or_falls_steadily_and_goes_on_at_its_last_rate() {
        // In 10 s from 10/s to 30/s come 200; half of the time has passed when 75 have come.
        let up = offsets("{ from: 10/s, to: 30/s, for: 10s }", 204);
        assert_eq!((up[0], up[75], up[200], up[203]), (0, 5000, 10_000, 10_100));
        let down = offsets("{ from: 30/s, to: 10/s, for: 10s }", 202);
        assert_eq!((down[0], down[125], down[200], down[201]), (0, 5000, 10_000, 10_100));
    }

    #[test]
    fn by_chance_the_same_seed_gives_the_same_moments_and_another_gives_others() {
        let arrival = arrival(
            "[ { rate: 50/s, for: 1s, by: poisson }, { from: 50/s, to: 500/s, for: 2s, by: poisson } ]",
        );
        let arrival = arrival.expect("it is right");
        let offsets = |count, seed, group| arrival.offsets(count, seed, group).to_vec();
        assert_eq!(offsets(500, 7, 1), offsets(500, 7, 1));
        // A client's moment is its own, however many come after it.
        assert_eq!(offsets(500, 7, 1)[..100], offsets(100, 7, 1));
        assert_ne!(offsets(500, 7, 1), offsets(500, 8, 1));
        assert_ne!(offsets(500, 7, 1), offsets(500, 7, 2));
        assert!(offsets(500, 7, 1).is_sorted());
    }

    #[test]
    fn by_chance_clients_come_as_often_as_the_rates_say_and_not_evenly() {
        let arrival = arrival("[ { rate: 100/s, for: 20s, by: poisson }, { rate: 400/s, by: poisson } ]");
        let offsets = arrival.expect("it is right").offsets(6000, 1, 0);
        let within = |from, to| {
            let within = offsets.iter().filter(|offset| (from..to).contains(&offset.as_secs_f64()));
            within.count() as f64
        };
        // Four deviations of a Poisson process: the seed is fixed, so this holds or does not.
        assert!((within(0.0, 20.0) - 2000.0).abs() < 180.0, "{}", within(0.0, 20.0));
        assert!((within(20.0, 28.0) - 3200.0).abs() < 230.0, "{}", within(20.0, 28.0));
        let gaps: Vec<f64> = offsets[..1900].windows(2).map(|two| (two[1] - two[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // The deviation of an exponential distribution is its mean; of an even one it is nothing.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.1, "{} {mean}", variance.sqrt());
    }

    #[test]
    fn rates_are_scaled_and_stages_stay_as_long() {
        let stages = arrival("[ { rate: 10/s, for: 1s }, { rate: 20/s } ]").expect("it is right");
        assert_eq!(stages.rate(), Some(Rate { per_second: 20.0 }));
        let doubled = stages.scaled(2.0);
        assert_eq!(doubled.to_string(), "at 20/s for 1s, then at 40/s");
        assert_eq!(doubled.offsets(22, 1, 0)[20..], [Duration::from_secs(1), Duration::from_millis(1025)]);
        assert_eq!(arrival("at_once").expect("it is right").rate(), None);
    }

    #[test]
    fn a_million_clients_an_hour_each_overflow_nothing() {
        let offsets = arrival("{ rate: 1/h, by: poisson }").expect("it is right").offsets(1_000_000, 1, 0);
        assert_eq!(offsets[999_999], NEVER);
    }
}
