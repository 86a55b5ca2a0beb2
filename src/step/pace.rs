//! When the rounds of a `repeat` are due, for each of its clients.
//!
//! With `every` the due times are a schedule of their own: they come from the seed, the client's number, the step and the
//! round, and nothing that a server does moves them. Without it, the next round is due when the one before is done
//! and the client has thought. Bursts let time stand still for a while: what would be due then is due after it.

use std::time::{Duration, Instant};

use super::chance::{Chance, ROUNDS};
use super::schema::{self, Shape, named};
use super::{Cx, Reading};
use crate::document::{Fields, Key, Mistake, Node};
use crate::template::{Distribution, Quantity};
use crate::units::{self, Spelt};

/// The pace of a `repeat`, as the scenario says it.
#[derive(Debug)]
pub(super) struct Pace {
    rhythm: Rhythm,
    /// Whether the first rounds of a group's clients are spread evenly over one distance, by their numbers.
    is_spread: bool,
    bursts: Option<Bursts>,
}

/// What one round has to do with the next.
#[derive(Debug)]
enum Rhythm {
    /// One is due after the other at this distance, each later by chance up to a share of it.
    Even { every: Duration, jitter: f64 },
    /// They are due independently of each other, at this distance on average.
    Poisson { every: Duration },
    /// The next is due when the one before is done, after a pause in microseconds.
    Closed(Distribution),
}

/// Time with something to do, and time without.
#[derive(Clone, Copy, Debug)]
struct Bursts {
    on: Duration,
    off: Duration,
    /// Whether each client begins somewhere in it by chance.
    by_chance: bool,
}

const THOUGHT: Quantity =
    Quantity { what: "the time to think", example: "2s", least: (0, ""), most: micros(units::LONGEST) };

const fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// What a `repeat` takes to say its pace.
pub(super) fn shape(shape: Shape) -> Shape {
    let bursts = Shape::new("Rounds are due only while it is on.")
        .needs("on", schema::time(), "How long it is on.")
        .needs("off", schema::time(), "How long it is off.")
        .takes(
            "phase",
            schema::words(["same", "random"]),
            "Whether each client begins somewhere in its own.",
        );
    shape
        .takes("every", schema::time(), "The pace: each round has a due time.")
        .takes(
            "by",
            schema::words(["even", "poisson"]),
            "`poisson`: rounds are due at random times, with the same average rate.",
        )
        .takes("jitter", named("share"), "Each round is due later by chance, up to this share of `every`.")
        .takes("think", schema::drawn(schema::time), "Instead of `every`: a pause after each round.")
        .takes(
            "start",
            schema::words(["at_once", "spread"]),
            "`spread`: the first rounds of a group are spread evenly.",
        )
        .takes("bursts", bursts.schema(), "Rounds are due only while it is on.")
}

impl Pace {
    /// Reads the fields of a `repeat` that say when its rounds begin.
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Pace, Mistake> {
        let every = reading.positive_duration(fields, "every")?.map(|every| reading.quickened(every));
        let by = fields.entry("by").map(|(key, node)| Ok((key, is_poisson(node)?))).transpose()?;
        let jitter =
            fields.entry("jitter").map(|(key, node)| Ok((key, units::share(node)?.0))).transpose()?;
        let think = fields.entry("think");
        let start = fields.entry("start").map(|(key, node)| Ok((key, is_spread(node)?))).transpose()?;
        let bursts = fields.optional("bursts").map(|node| Bursts::read(node, reading)).transpose()?;
        let without_pace = |key: &Key| {
            let message = format!("`{}` needs a pace, and there is none", key.text);
            Err(key.mistake(message).hint("add `every: 1s`"))
        };
        let rhythm = match (every, by) {
            (Some(_), _) if think.is_some() => {
                let at = think.map_or(fields.span(), |(key, _)| key.span);
                return Err(Mistake::new(
                    at,
                    "with `every` the next round is due whether the client thinks or not",
                )
                .hint("keep one of them: `every` for a schedule, `think` for a pause after each round"));
            }
            (Some(every), Some((_, true))) => {
                if let Some((key, _)) = jitter {
                    return Err(key
                        .mistake("rounds by `poisson` are random already")
                        .hint("leave out `jitter`"));
                }
                if let Some((key, true)) = start {
                    return Err(key
                        .mistake("rounds by `poisson` are spread randomly already")
                        .hint("leave out `start`"));
                }
                Rhythm::Poisson { every }
            }
            (Some(every), _) => Rhythm::Even { every, jitter: jitter.map_or(0.0, |(_, share)| share) },
            (None, Some((key, _))) => return without_pace(key),
            (None, None) => match (jitter, think) {
                (Some((key, _)), _) => return without_pace(key),
                (None, Some((_, node))) => {
                    let mut time = |node: &Node| reading.duration(node).map(micros);
                    Rhythm::Closed(Distribution::read(node, &THOUGHT, &mut time)?)
                }
                (None, None) => Rhythm::Closed(Distribution::Always(0)),
            },
        };
        let pace = Pace { rhythm, is_spread: start.is_some_and(|(_, is_spread)| is_spread), bursts };
        match start {
            Some((key, true)) if pace.distance().is_zero() => Err(key
                .mistake("the first rounds are spread over the time from one to the next, and there is none")
                .hint("add `every: 1s`, or `think: 1s`")),
            _ => Ok(pace),
        }
    }

    /// From one round to the next: of a schedule, or of a client that is never kept waiting.
    pub(super) fn distance(&self) -> Duration {
        match &self.rhythm {
            Rhythm::Even { every, .. } | Rhythm::Poisson { every } => *every,
            Rhythm::Closed(think) => Duration::from_micros(think.mean() as u64),
        }
    }

    /// Whether a schedule says when rounds are due.
    pub(super) fn is_set(&self) -> bool {
        !matches!(self.rhythm, Rhythm::Closed(_))
    }

    /// How many rounds are due in a second, on average, if there is a schedule.
    pub(super) fn rounds(&self) -> Option<f64> {
        let due = match self.rhythm {
            Rhythm::Closed(_) => return None,
            _ => 1.0 / self.distance().as_secs_f64(),
        };
        let share = self.bursts.map_or(1.0, |bursts| bursts.on.as_secs_f64() / bursts.cycle().as_secs_f64());
        Some(due * share)
    }

    /// How many rounds are due in such a time, where that is the same for every client.
    pub(super) fn rounds_in(&self, length: Duration) -> Option<u64> {
        let Rhythm::Even { every, .. } = self.rhythm else { return None };
        let time = match self.bursts {
            None => length,
            Some(Bursts { by_chance: true, .. }) => return None,
            Some(bursts) => bursts.active(length),
        };
        let (time, every) = (time.as_nanos(), every.as_nanos().max(1));
        match self.is_spread && !time.is_multiple_of(every) {
            true => None,
            false => Some(time.div_ceil(every) as u64),
        }
    }

    /// In words, to stand behind `for 60s`; nothing where rounds just follow each other.
    pub(super) fn words(&self) -> String {
        let mut words = match &self.rhythm {
            Rhythm::Even { every, .. } => format!(", every {every:?}"),
            Rhythm::Poisson { every } => format!(", every {every:?} on average by chance"),
            Rhythm::Closed(Distribution::Always(0)) => String::new(),
            Rhythm::Closed(think) => {
                let spell = |micros| Spelt(Duration::from_micros(micros)).to_string();
                format!(", thinking {} after each", think.words(spell, ""))
            }
        };
        if self.is_spread {
            words.push_str(", the first spread over that time");
        }
        if let Some(Bursts { on, off, by_chance }) = self.bursts {
            words.push_str(&format!(", in bursts of {on:?} with {off:?} between"));
            words.push_str(if by_chance { ", each from its own moment on" } else { "" });
        }
        words
    }

    /// The due times of a client whose `repeat` begins.
    pub(super) fn begin(&self, cx: &Cx<'_, '_>) -> Dues<'_> {
        let actor = &cx.actor;
        let what = [ROUNDS, u64::from(actor.who.index), u64::from(cx.step.0), actor.round];
        let mut chance = Chance::of(actor.context.seed, &what);
        let share = f64::from(actor.who.n) / actor.group.count.max(1) as f64;
        let spread = if self.is_spread { self.distance().mul_f64(share) } else { Duration::ZERO };
        let phase = match self.bursts {
            Some(bursts) if bursts.by_chance => bursts.cycle().mul_f64(chance.share()),
            _ => Duration::ZERO,
        };
        Dues { pace: self, began: cx.due, chance, sum: spread, phase }
    }
}

fn is_poisson(node: &Node) -> Result<bool, Mistake> {
    choice(node, "rounds come `even` or by `poisson`", ["even", "poisson"])
}

fn is_spread(node: &Node) -> Result<bool, Mistake> {
    choice(node, "the clients of a group start `at_once` or `spread`", ["at_once", "spread"])
}

/// Whether a value is the second of two words.
fn choice(node: &Node, what: &str, words: [&'static str; 2]) -> Result<bool, Mistake> {
    let word = node.text()?;
    match words.iter().position(|known| *known == word) {
        Some(place) => Ok(place == 1),
        None => Err(node.mistake(format!("{what}, found `{word}`")).did_you_mean(word, words)),
    }
}

impl Bursts {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Bursts, Mistake> {
        let fields = Fields::of(node, "`bursts`")
            .map_err(|mistake| mistake.hint("write `bursts: { on: 5s, off: 10s }`"))?;
        let (on, off) = (fields.required("on"), fields.required("off"));
        let by_chance = fields.optional("phase").map(|node| {
            choice(
                node,
                "the bursts of a group's clients come at the `same` time or at a `random` one",
                ["same", "random"],
            )
        });
        fields.deny_others()?;
        let mut time = |node: &Node| {
            let time = reading.duration(node)?;
            if time.is_zero() { Err(node.mistake("expected a time longer than 0 s")) } else { Ok(time) }
        };
        Ok(Bursts { on: time(on?)?, off: time(off?)?, by_chance: by_chance.unwrap_or(Ok(false))? })
    }

    fn cycle(self) -> Duration {
        self.on + self.off
    }

    /// How much of such a time is in bursts.
    fn active(self, time: Duration) -> Duration {
        let (cycles, rest) = split(time, self.cycle());
        Duration::from_nanos(nanos(self.on).saturating_mul(cycles).saturating_add(rest.min(nanos(self.on))))
    }

    /// After which time so much of it was in bursts, and more is to come.
    fn passed(self, active: Duration) -> Duration {
        let (bursts, rest) = split(active, self.on);
        Duration::from_nanos(nanos(self.cycle()).saturating_mul(bursts).saturating_add(rest))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How often the one time is in the other, and what is left of it in nanoseconds.
fn split(time: Duration, by: Duration) -> (u64, u64) {
    let by = nanos(by).max(1);
    (nanos(time) / by, nanos(time) % by)
}

/// The due times of one client's rounds.
#[derive(Debug)]
pub(super) struct Dues<'p> {
    pace: &'p Pace,
    began: Instant,
    chance: Chance,
    /// How much time with something to do passes until the next round; by chance, or until the first.
    sum: Duration,
    /// Where in its cycle of bursts the client begins.
    phase: Duration,
}

impl Dues<'_> {
    /// When a round is due. To be asked once for each round, in their order, when the one before is done.
    pub(super) fn next(&mut self, round: u64, now: Instant) -> Instant {
        match &self.pace.rhythm {
            Rhythm::Even { every, jitter } => {
                let nanos = every.as_nanos() as u64;
                let mut offset = self.sum + Duration::from_nanos(nanos.saturating_mul(round));
                if *jitter > 0.0 {
                    offset += every.mul_f64(jitter * self.chance.share());
                }
                self.began + self.passed(offset)
            }
            Rhythm::Poisson { every } => {
                self.sum += every.mul_f64(self.chance.exponential());
                self.began + self.passed(self.sum)
            }
            Rhythm::Closed(think) => {
                let pause = match round {
                    0 => self.sum,
                    _ => Duration::from_micros(think.draw(&mut || self.chance.share())),
                };
                self.in_a_burst(now + pause)
            }
        }
    }

    /// After which time so much of it was in the client's bursts.
    fn passed(&self, active: Duration) -> Duration {
        match self.pace.bursts {
            None => active,
            Some(bursts) => bursts.passed(bursts.active(self.phase) + active) - self.phase,
        }
    }

    /// The same moment, or the begin of the next burst if it lies between two.
    fn in_a_burst(&self, due: Instant) -> Instant {
        let Some(bursts) = self.pace.bursts else { return due };
        let (_, place) = split(due.saturating_duration_since(self.began) + self.phase, bursts.cycle());
        let place = Duration::from_nanos(place);
        if place < bursts.on { due } else { due + (bursts.cycle() - place) }
    }
}
