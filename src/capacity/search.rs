//! The search for the highest load at which the thresholds hold, as a machine without time: [`Search::ask`] says what to
//! play, [`Search::tell`] hears what came of it.
//!
//! Loads are doubled until the first one breaks, then the gap is halved (by ratio) until it is as narrow as was asked for.
//! Up to there one run a load decides, and noise may have decided wrongly. So both ends are played again, each time on a
//! fresh server: the highest load that held has to hold in `needed` of `repeats` runs, and the lowest that broke must not.
//! An end that does not stand is moved, and the search goes on from there.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Between which loads to search, and how sure the answer has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The first load.
    pub from: f64,
    /// The highest.
    pub to: f64,
    /// Whether loads are counted or measured.
    pub grain: Grain,
    /// How far the answer may be off, as a share: 0.05. The gap is narrowed to half of it; noise has the other half.
    pub precision: f64,
    /// How often each end is played again at most.
    pub repeats: u32,
    /// In how many of them the highest load has to hold.
    pub needed: u32,
}

/// Whether loads are counted or measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Clients: whole numbers.
    Whole,
    /// Rates.
    Fine,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// Play the scenario at this load.
    Play(Step),
    /// The search is over.
    Over(Found),
}

/// One run of the scenario at one load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// The load.
    pub load: f64,
    /// What it is played for.
    pub purpose: Purpose,
    /// On which server.
    pub server: Server,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Looking for a load that breaks.
    Ramp,
    /// Narrowing the gap.
    Bisection,
    /// Whether the highest load that held does so again.
    Confirmation,
    /// Whether the lowest load that broke does so again.
    Refutation,
}

/// Which server a step is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The one that is there.
    Same,
    /// One that has served no clients yet.
    Fresh,
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepOutcome {
    /// Every threshold was met.
    Held,
    /// The server did not keep up: the first thing that broke, in words.
    Broke(String),
    /// We did not keep up, so nothing is known of the server: why.
    Limited(String),
    /// There was too little data to judge: of what.
    Unclear(String),
    /// The server ended: how.
    Died(String),
    /// A server that we did not start was not there any more: how that was seen.
    Gone(String),
}

impl fmt::Display for StepOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepOutcome::Held => f.write_str("held"),
            StepOutcome::Broke(why) => write!(f, "failed: {why}"),
            StepOutcome::Limited(why) => write!(f, "the load generator did not keep up: {why}"),
            StepOutcome::Unclear(why) => write!(f, "not clear: {why}"),
            StepOutcome::Died(how) => write!(f, "the server ended: {how}"),
            StepOutcome::Gone(how) => write!(f, "the server was not there any more: {how}"),
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Found {
    /// The highest load that held, if any did.
    pub held: Option<f64>,
    /// In how many of the repeats it held, and how many there were. Nothing where the search ended before.
    pub confirmed: Votes,
    /// What ended it above.
    pub above: Above,
}

/// Why the highest load is not higher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Above {
    /// The server did not keep up.
    Broke {
        /// The lowest load at which it did not.
        load: f64,
        /// The first thing that broke.
        why: String,
    },
    /// We did not keep up: the server holds at least what held.
    Limited {
        /// The lowest load at which we did not.
        load: f64,
        /// Why.
        why: String,
    },
    /// The range was over: the server holds at least what held.
    Range {
        /// Its end.
        load: f64,
    },
    /// The server ended three times in a row.
    Died {
        /// At which load.
        load: f64,
        /// How.
        why: String,
    },
    /// A server that we did not start was not there any more, and did not come back.
    Gone {
        /// At which load.
        load: f64,
        /// How that was seen.
        why: String,
    },
    /// There was too little data to judge.
    Unclear {
        /// At which load.
        load: f64,
        /// Of what.
        why: String,
    },
    /// The answers contradicted each other for too long.
    Unsteady {
        /// The lowest load that broke last.
        load: f64,
    },
}

/// How runs of one load came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Votes {
    /// The runs in which every threshold was met.
    pub held: u32,
    /// The others.
    pub broke: u32,
}

/// Steps after which the search gives up: an orderly one takes some twenty.
const MOST_STEPS: usize = 80;
/// Deaths in a row that are a result.
const DEATHS: u32 = 3;

/// The search. Begin with [`Search::ask`].
#[derive(Clone, Debug)]
pub(crate) struct Search {
    settings: Settings,
    /// Loads that held, in runs of their own or again.
    held: Vec<f64>,
    /// Loads that did not, with the reason.
    broke: Vec<(f64, Above)>,
    /// Runs on a fresh server, by load.
    votes: BTreeMap<u64, Votes>,
    asked: Option<Step>,
    steps: usize,
    deaths: u32,
    /// The last load in the ramp that could not be judged, while none was.
    unclear: Option<f64>,
    over: Option<Above>,
}

impl Search {
    /// A search that has not begun.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            held: Vec::new(),
            broke: Vec::new(),
            votes: BTreeMap::new(),
            asked: None,
            steps: 0,
            deaths: 0,
            unclear: None,
            over: None,
        }
    }

    /// What to do next.
    pub(crate) fn ask(&mut self) -> Next {
        if let Some(above) = self.over.take() {
            return Next::Over(self.found(above));
        }
        // After a death the same is played again.
        if let Some(step) = self.asked {
            return Next::Play(step);
        }
        if self.steps >= MOST_STEPS {
            let load = self.high().map_or(self.settings.to, |(load, _)| load);
            return Next::Over(self.found(Above::Unsteady { load }));
        }
        self.steps += 1;
        match self.decide() {
            Ok(step) => {
                self.asked = Some(step);
                Next::Play(step)
            }
            Err(above) => Next::Over(self.found(above)),
        }
    }

    /// The outcome of the last step.
    pub(crate) fn tell(&mut self, outcome: StepOutcome) {
        let Some(step) = self.asked else { return };
        let load = step.load;
        let deaths = std::mem::take(&mut self.deaths);
        self.asked = None;
        let above = match outcome {
            StepOutcome::Died(why) => return self.again(step, deaths + 1, Above::Died { load, why }),
            StepOutcome::Gone(why) => return self.again(step, deaths + 1, Above::Gone { load, why }),
            StepOutcome::Held => None,
            StepOutcome::Broke(why) => Some(Above::Broke { load, why }),
            StepOutcome::Limited(why) => Some(Above::Limited { load, why }),
            StepOutcome::Unclear(why) => {
                // More load brings more data, as long as nothing is known of lower ones.
                match step.purpose == Purpose::Ramp && self.held.is_empty() && load < self.settings.to {
                    true => self.unclear = Some(load),
                    false => self.over = Some(Above::Unclear { load, why }),
                }
                return;
            }
        };
        match step.purpose {
            Purpose::Ramp | Purpose::Bisection => match above {
                None => self.held.push(load),
                Some(above) => self.broke.push((load, above)),
            },
            Purpose::Confirmation | Purpose::Refutation => self.vote(load, above),
        }
    }

    /// Asks for the same load on a fresh server, unless that many in a row did not live through it.
    fn again(&mut self, step: Step, deaths: u32, death: Above) {
        self.deaths = deaths;
        self.asked = Some(Step { server: Server::Fresh, ..step });
        if deaths == DEATHS {
            self.over = Some(death);
        }
    }

    /// Counts a run on a fresh server, and moves the end that does not stand.
    fn vote(&mut self, load: f64, above: Option<Above>) {
        let votes = self.votes.entry(load.to_bits()).or_default();
        match above {
            None => votes.held += 1,
            Some(_) => votes.broke += 1,
        }
        let votes = *votes;
        // The reason that is reported is that of the last run.
        if let Some(above) = above {
            self.broke.retain(|(other, _)| *other != load || votes.broke == 0);
            if self.fell(votes) || !self.held.contains(&load) {
                self.broke.push((load, above));
            }
        }
        if self.fell(votes) {
            self.held.retain(|other| *other < load);
        }
        if self.stood(votes) {
            self.broke.retain(|(other, _)| *other > load);
            if !self.held.contains(&load) {
                self.held.push(load);
            }
        }
    }

    fn stood(&self, votes: Votes) -> bool {
        votes.held >= self.settings.needed
    }

    fn fell(&self, votes: Votes) -> bool {
        votes.broke > self.settings.repeats - self.settings.needed
    }

    fn decide(&self) -> Result<Step, Above> {
        let Settings { from, to, .. } = self.settings;
        let low = self.low();
        let step = |load, purpose, server| Ok(Step { load, purpose, server });
        let Some((high, above)) = self.high() else {
            let last = low.or(self.unclear);
            let next = last.map_or(from, |last| self.rounded(last * 2.0).min(to));
            if last.is_none_or(|last| last < to) {
                return step(next, Purpose::Ramp, Server::Same);
            }
            return match self.stood(self.votes(to)) {
                true => Err(Above::Range { load: to }),
                false => step(to, Purpose::Confirmation, Server::Fresh),
            };
        };
        if let Some(middle) = low.and_then(|low| self.between(low, high)) {
            return step(middle, Purpose::Bisection, Server::Same);
        }
        if let Some(low) = low.filter(|low| !self.stood(self.votes(*low))) {
            return step(low, Purpose::Confirmation, Server::Fresh);
        }
        // The run that broke it first counts, too; our own limits need no second look.
        let votes = self.votes(high);
        let stands = self.fell(Votes { broke: votes.broke + 1, ..votes });
        match stands || matches!(above, Above::Limited { .. }) {
            true => Err(above.clone()),
            false => step(high, Purpose::Refutation, Server::Fresh),
        }
    }

    /// The highest load that held below all that broke.
    fn low(&self) -> Option<f64> {
        let high = self.high().map_or(f64::INFINITY, |(load, _)| load);
        self.held.iter().copied().filter(|load| *load < high).max_by(f64::total_cmp)
    }

    /// The lowest load that broke.
    fn high(&self) -> Option<(f64, &Above)> {
        self.broke.iter().map(|(load, above)| (*load, above)).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn votes(&self, load: f64) -> Votes {
        self.votes.get(&load.to_bits()).copied().unwrap_or_default()
    }

    /// The load in the middle of a gap, by ratio. None where the gap is narrow enough.
    fn between(&self, low: f64, high: f64) -> Option<f64> {
        let middle = self.rounded((low * high).sqrt());
        let wide = high / low > 1.0 + self.settings.precision / 2.0;
        (wide && low < middle && middle < high).then_some(middle)
    }

    fn rounded(&self, load: f64) -> f64 {
        match self.settings.grain {
            Grain::Whole => load.round(),
            Grain::Fine => load,
        }
    }

    fn found(&self, above: Above) -> Found {
        let held = self.low();
        Found { held, confirmed: held.map(|load| self.votes(load)).unwrap_or_default(), above }
    }
}

#[cfg(test)]
mod tests;
