//! How many machines a number of users needs.

use serde::{Deserialize, Serialize};

/// What a machine like this holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Machine {
    /// Users at which the thresholds still held.
    pub users: f64,
    /// Its processors, and how much of one a user takes.
    pub processors: Option<(f64, f64)>,
    /// Its memory in bytes beside what the server takes without anybody, and how much of it a user takes.
    pub memory: Option<(f64, f64)>,
}

/// How many machines, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Plan {
    /// For how many users.
    pub users: u64,
    /// The share of each machine that is left free.
    pub headroom: f64,
    /// How many machines.
    pub machines: u64,
    /// Which figure decides.
    pub limit: Limit,
    /// How many machines each figure would take by itself.
    pub needs: Vec<Need>,
}

/// One figure, and how many machines it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Need {
    /// The figure.
    pub limit: Limit,
    /// How many machines.
    pub machines: u64,
}

/// What a machine can be too small in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    /// The thresholds of the scenario.
    Thresholds,
    /// Its processors.
    Processors,
    /// Its memory.
    Memory,
}

impl Limit {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Limit::Thresholds => "the thresholds",
            Limit::Processors => "the processors",
            Limit::Memory => "the memory",
        }
    }
}

/// Plans for a number of users. None if a machine holds not a single one.
pub(crate) fn plan(machine: Machine, users: u64, headroom: f64) -> Option<Plan> {
    let usable = 1.0 - headroom;
    let machines = |a_machine: f64| {
        let machines = (users as f64 / (a_machine * usable)).ceil();
        machines.is_finite().then_some(machines.max(1.0) as u64)
    };
    let mut needs = vec![Need { limit: Limit::Thresholds, machines: machines(machine.users)? }];
    for (limit, figure) in [(Limit::Processors, machine.processors), (Limit::Memory, machine.memory)] {
        let Some((all, a_user)) = figure.filter(|(all, a_user)| *all > 0.0 && *a_user > 0.0) else {
            continue;
        };
        needs.extend(machines(all / a_user).map(|machines| Need { limit, machines }));
    }
    // The first of equals: what was measured as a whole goes before what was calculated.
    let most =
        needs.iter().copied().reduce(|most, one| if one.machines > most.machines { one } else { most })?;
    Some(Plan { users, headroom, machines: most.machines, limit: most.limit, needs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_that_takes_most_machines_decides() {
        let machine = Machine { users: 1000.0, processors: Some((4.0, 0.001)), memory: Some((8e9, 1e7)) };
        let found = plan(machine, 100_000, 0.3).unwrap();
        let needs: Vec<u64> = found.needs.iter().map(|need| need.machines).collect();
        assert_eq!(needs, [143, 36, 179]);
        assert_eq!((found.machines, found.limit), (179, Limit::Memory));
    }

    #[test]
    fn what_is_not_known_does_not_decide() {
        let machine = Machine { users: 1000.0, ..Machine::default() };
        let found = plan(machine, 1500, 0.0).unwrap();
        assert_eq!((found.machines, found.limit, found.needs.len()), (2, Limit::Thresholds, 1));
        assert_eq!(plan(machine, 1, 0.5).unwrap().machines, 1);
        assert_eq!(plan(Machine::default(), 1, 0.0), None);
    }
}
