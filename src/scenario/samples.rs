//! Which thresholds of a scenario can never be judged, because it times too little: known before anything is played.

use super::{Act, Asked, Scenario};
use crate::measure::format::{count, counted};
use crate::observe::{Counter, Label, Metric};
use crate::step::{EventFilter, Numbered};
use crate::threshold::{Counted, Subject, Threshold, samples_needed};

/// What can never be judged, a sentence without its full stop for each such threshold.
pub fn predictions(scenario: &Scenario) -> Vec<String> {
    scenario.thresholds.iter().filter_map(|threshold| prediction(scenario, threshold)).collect()
}

fn prediction(scenario: &Scenario, threshold: &Threshold) -> Option<String> {
    let text = &threshold.text;
    if is_of_the_audit(threshold.subject) && !is_audited(scenario) {
        return Some(format!("`{text}` can never be met: the audit has nothing to judge in this scenario"));
    }
    let metric = series(threshold.subject)?;
    let of = threshold.of.as_ref().map(|of| format!(" of {}", of.name)).unwrap_or_default();
    let most = Most { scenario, metric, of: asked(scenario, threshold) }.of_all()?;
    if most == 0 {
        return Some(format!(
            "`{text}` can never be met: nothing{of} is timed as `{metric}` in this scenario"
        ));
    }
    let Subject::Quantile(_, quantile) = threshold.subject else { return None };
    // The least that there has to be, if no value is beyond the limit.
    let needed = samples_needed(quantile, threshold.relation.is_upper());
    (most < needed).then(|| {
        format!(
            "`{text}` can never be judged: p{} takes {}, and this scenario gives at most {}",
            (quantile * 1e8).round() / 1e6,
            counted(needed, "sample"),
            count(most)
        )
    })
}

/// The series without whose values there is nothing to judge.
fn series(subject: Subject) -> Option<Metric> {
    match subject {
        Subject::Matching(metric, _) => Some(metric),
        Subject::Share(Counted::Counter(Counter::AckReceived | Counter::AckMissed)) => Some(Metric::Ack),
        Subject::Share(Counted::Counter(Counter::ResponseReceived | Counter::ResponseMissed)) => {
            Some(Metric::Response)
        }
        subject => subject.metric(),
    }
}

fn is_of_the_audit(subject: Subject) -> bool {
    let (Subject::Count(counted) | Subject::Rate(counted) | Subject::Share(counted)) = subject else {
        return false;
    };
    matches!(counted, Counted::Fault(_) | Counted::Undisturbed(_))
}

/// Whether some step has something for the audit.
fn is_audited(scenario: &Scenario) -> bool {
    fn look(acts: &[Act], events: &mut EventFilter) {
        for act in acts {
            match act {
                Act::Group { steps, .. } => steps.iter().for_each(|numbered| numbered.step.audit(events)),
                Act::Together { branches, .. } => branches.iter().for_each(|branch| look(branch, events)),
                Act::Measure { script, .. } => look(script, events),
                Act::Server { .. } => {}
            }
        }
    }
    let mut events = EventFilter::default();
    look(&scenario.script, &mut events);
    scenario.audit.is_some() && events != EventFilter::default()
}

fn asked(scenario: &Scenario, threshold: &Threshold) -> Option<Asked> {
    threshold.of.as_ref().and_then(|of| scenario.asked.get(of.part).copied())
}

/// How many values a series has at most.
struct Most<'s> {
    scenario: &'s Scenario,
    metric: Metric,
    of: Option<Asked>,
}

impl Most<'_> {
    /// In the part of the script that counts: connects count in all of it. None where that is not known.
    fn of_all(&self) -> Option<u64> {
        let script = &self.scenario.script;
        let measured = script.iter().find_map(|act| match act {
            Act::Measure { script, .. } if self.metric.is_traffic() => Some(script.as_slice()),
            Act::Measure { .. } | Act::Group { .. } | Act::Together { .. } | Act::Server { .. } => None,
        });
        self.of_acts(measured.unwrap_or(script))
    }

    fn of_acts(&self, acts: &[Act]) -> Option<u64> {
        acts.iter().try_fold(0u64, |sum, act| Some(sum.saturating_add(self.of_act(act)?)))
    }

    fn of_act(&self, act: &Act) -> Option<u64> {
        match act {
            Act::Group { members, steps, .. } => {
                let clients: u64 = members.iter().map(|&group| self.actors(group)).sum();
                if clients == 0 { Some(0) } else { Some(self.of_steps(steps)?.saturating_mul(clients)) }
            }
            Act::Together { branches, .. } => {
                branches.iter().try_fold(0u64, |sum, branch| Some(sum.saturating_add(self.of_acts(branch)?)))
            }
            Act::Measure { script, .. } => self.of_acts(script),
            Act::Server { .. } => Some(0),
        }
    }

    /// How many clients of a group give values. Those of a delivery are those of its receivers.
    fn actors(&self, group: usize) -> u64 {
        match self.of {
            Some(Asked::Group(asked)) if asked as usize != group && self.metric != Metric::Delivery => 0,
            _ => u64::from(self.scenario.groups[group].count),
        }
    }

    fn of_steps(&self, steps: &[Numbered]) -> Option<u64> {
        steps.iter().try_fold(0u64, |sum, numbered| {
            let own = if self.is_of(numbered.label) { numbered.step.values(self.metric) } else { 0 };
            let each = self.of_steps(numbered.step.inner())?;
            // However often nothing is repeated, it is nothing.
            let inner = if each == 0 { 0 } else { numbered.step.plays()?.saturating_mul(each) };
            Some(sum.saturating_add(own.saturating_mul(self.receivers())).saturating_add(inner))
        })
    }

    fn is_of(&self, label: Label) -> bool {
        !matches!(self.of, Some(Asked::Label(asked)) if asked != label)
    }

    /// How many clients receive a message at most.
    fn receivers(&self) -> u64 {
        match (self.metric, self.of) {
            (Metric::Delivery, Some(Asked::Group(group))) => {
                u64::from(self.scenario.groups[group as usize].count)
            }
            (Metric::Delivery, _) => u64::from(self.scenario.clients()),
            _ => 1,
        }
    }
}
