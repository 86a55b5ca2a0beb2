//! How much a scenario asks of a server: clients, rounds and arrivals in a second.

use super::{Act, Scenario};

/// How much a scenario asks of a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many clients there are in all groups.
    pub clients: u32,
    /// How many rounds of `repeat`s with a pace are due in a second, on average, when most of them are at work.
    pub rounds: f64,
    /// How many clients arrive in a second: the highest rates of all groups that arrive at one, added up.
    pub arrivals: f64,
}

impl Load {
    /// What a scenario asks.
    pub fn of(scenario: &Scenario) -> Load {
        let clients = |index: usize| f64::from(scenario.groups[index].count);
        Load {
            clients: scenario.clients(),
            rounds: rounds(&scenario.script, &clients),
            arrivals: scenario
                .groups
                .iter()
                .filter_map(|group| group.arrival.rate())
                .map(|rate| rate.per_second)
                .sum(),
        }
    }
}

/// The most rounds in a second of acts one after another.
fn rounds(acts: &[Act], clients: &dyn Fn(usize) -> f64) -> f64 {
    let of = |act: &Act| match act {
        Act::Group { members, steps, .. } => {
            let each = steps.iter().map(|numbered| numbered.step.rounds()).fold(0.0, f64::max);
            each * members.iter().map(|&member| clients(member)).sum::<f64>()
        }
        Act::Together { branches, .. } => branches.iter().map(|branch| rounds(branch, clients)).sum(),
        Act::Measure { script, .. } => rounds(script, clients),
        Act::Server { .. } => 0.0,
    };
    acts.iter().map(of).fold(0.0, f64::max)
}
